package connection

import (
	"cmp"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// The modes of a connection.
const (
	ModeStandalone = "standalone"
	ModeSentinel   = "sentinel"
	ModeCluster    = "cluster"
)

// spec is what decides which sockets a client has. Two configurations of equal
// spec share them; everything else about a connection, its secrets included,
// may change under open sockets.
type spec struct {
	mode      string
	network   string // tcp or unix
	addresses string // host:port or path; comma-separated for Sentinel and Cluster
	master    string // name of the master that the sentinels watch

	username         string
	sentinelUsername string
	database         int
	clientName       string

	secure             bool
	serverName         string
	minVersion         string
	insecureSkipVerify bool

	dialTimeout  time.Duration
	readTimeout  time.Duration
	writeTimeout time.Duration
	poolSize     int
}

// secrets are what a new socket authenticates with.
type secrets struct {
	password configs.Secret
	sentinel configs.Secret
	tls      material
}

// material is the certificates of a connection, as texts.
type material struct {
	ca, cert string
	key      configs.Secret
}

func specOf(c *configs.Connection) spec {
	s := spec{
		mode: ModeStandalone, network: "tcp", addresses: c.Address,
		username: c.Username, database: c.Database, clientName: c.Options.ClientName,
		dialTimeout:  cmp.Or(c.Options.DialTimeout.Std(), 5*time.Second),
		readTimeout:  cmp.Or(c.Options.ReadTimeout.Std(), 30*time.Second),
		writeTimeout: cmp.Or(c.Options.WriteTimeout.Std(), 30*time.Second),
		poolSize:     cmp.Or(c.Options.PoolSize, 2),
	}
	switch {
	case c.Sentinel != nil:
		s.mode, s.addresses = ModeSentinel, strings.Join(c.Sentinel.Addresses, ",")
		s.master, s.sentinelUsername = c.Sentinel.Master, c.Sentinel.Username
	case c.Cluster != nil:
		s.mode, s.addresses = ModeCluster, strings.Join(c.Cluster.Addresses, ",")
	default:
		if path, ok := strings.CutPrefix(c.Address, "unix://"); ok {
			s.network, s.addresses = "unix", path
		}
	}
	if c.TLS != nil {
		s.secure, s.serverName = true, c.TLS.ServerName
		s.minVersion, s.insecureSkipVerify = c.TLS.MinVersion, c.TLS.InsecureSkipVerify
	}
	return s
}

func secretsOf(c *configs.Connection) secrets {
	s := secrets{password: c.Password}
	if c.Sentinel != nil {
		s.sentinel = c.Sentinel.Password
	}
	if c.TLS != nil {
		s.tls = material{ca: c.TLS.CA, cert: c.TLS.Cert, key: c.TLS.Key}
	}
	return s
}
