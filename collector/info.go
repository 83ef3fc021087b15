package collector

import (
	"math"
	"slices"
	"time"
)

// INFO comes from a server that may be broken or hostile, and each of these
// makes series. What is above is dropped and counted; longer labels are cut.
const (
	maxDatabases  = 256
	maxReplicas   = 256
	maxLabelBytes = 128
)

// infoResult is what one INFO says. It may be used again for the next INFO of
// the same server, which spares allocations; it keeps nothing of the text.
type infoResult struct {
	values  [len(infoTable)]float64 // NaN = not known
	start   float64                 // Unix time of the server's start
	dbs     []dbInfo
	slaves  []slaveInfo
	dropped int // databases and replicas beyond the limits or named twice
	fields  int // fields understood

	infoIdentity

	masterLinkUp  float64
	masterLastIO  float64
	masterSync    float64
	slaveOffset   float64
	instanceLabel string
	masterLabel   string
	slaveLabel    string
}

// infoIdentity are the texts of INFO that become labels. They seldom change.
type infoIdentity struct {
	role, version, valkeyVersion, mode, os, maxmemoryPolicy, port string
	masterHost, masterPort, slaveReadOnly                         string
}

// dbInfo is one line of INFO's keyspace.
type dbInfo struct {
	label            string
	keys, expires    float64
	averageTTLMillis float64
}

// slaveInfo is one replica as its master sees it.
type slaveInfo struct {
	label       string
	offset, lag float64
}

// infoScan is an INFO on its way into a result.
type infoScan struct {
	*infoResult
	next       infoIdentity // shares memory with the text
	serverTime float64
}

// parseInfo reads the text of INFO into r. What does not parse is not known.
// now is used where the server does not tell its time. It returns false when
// nothing was understood: that was no INFO.
func parseInfo(text string, now time.Time, r *infoResult) bool {
	r.reset()
	scan := infoScan{infoResult: r, serverTime: math.NaN()}
	for name, value := range infoFieldsOf(text) {
		scan.field(name, value)
	}
	scan.finish(now)
	return r.fields > 0
}

// unknownValues is what a result starts from.
var unknownValues = func() (values [len(infoTable)]float64) {
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}()

func (r *infoResult) reset() {
	r.values = unknownValues
	r.dbs, r.slaves = r.dbs[:0], r.slaves[:0]
	r.dropped, r.fields = 0, 0
	nan := math.NaN()
	r.start, r.masterLinkUp, r.masterLastIO, r.masterSync, r.slaveOffset = nan, nan, nan, nan, nan
}

func (s *infoScan) field(name, value string) {
	at := infoIndex.find(name)
	switch {
	case int(at) < len(infoTable):
		f := &infoTable[at]
		s.values[at] = f.parse(value)
	case at != slotNone:
		s.special(at, value)
	case isNumbered(name, "db"):
		s.db(name, value)
	case isNumbered(name, "slave"):
		s.slave(value)
	default:
		return
	}
	s.fields++
}

func (f *infoField) parse(value string) float64 {
	if f.form == status {
		switch value {
		case "ok":
			return 1
		case "err", "fail":
			return 0
		}
		return math.NaN()
	}
	v := parseNumber(value)
	switch {
	case f.form == microsec:
		return v / 1e6
	case v < 0 && (f.form == elapsed || f.kind == counter):
		return math.NaN()
	}
	return v
}

func (s *infoScan) special(at slot, value string) {
	value = clip(value)
	switch at {
	case slotRole:
		s.next.role = value
	case slotVersion:
		s.next.version = value
	case slotValkeyVersion:
		s.next.valkeyVersion = value
	case slotMode, slotServerMode:
		s.next.mode = value
	case slotOS:
		s.next.os = value
	case slotPolicy:
		s.next.maxmemoryPolicy = value
	case slotPort:
		s.next.port = value
	case slotServerTime:
		s.serverTime = parseNumber(value) / 1e6
	case slotMasterHost:
		s.next.masterHost = value
	case slotMasterPort:
		s.next.masterPort = value
	case slotMasterLink:
		s.masterLinkUp = linkUp(value)
	case slotMasterLastIO:
		s.masterLastIO = orUnknown(parseNumber(value))
	case slotMasterSync:
		s.masterSync = parseNumber(value)
	case slotSlaveOffset:
		s.slaveOffset = orUnknown(parseNumber(value))
	case slotSlaveReadOnly:
		s.next.slaveReadOnly = value
	}
}

func linkUp(value string) float64 {
	switch value {
	case "up":
		return 1
	case "down":
		return 0
	}
	return math.NaN()
}

// clip cuts a text that becomes a label.
func clip(value string) string {
	return value[:min(len(value), maxLabelBytes)]
}

// orUnknown turns the -1 by which Redis says "never" into what is absent.
func orUnknown(v float64) float64 {
	if v < 0 {
		return math.NaN()
	}
	return v
}

// isNumbered reports whether name is prefix and a number, such as db0.
func isNumbered(name, prefix string) bool {
	const digits = 5 // of the largest number
	if len(name) <= len(prefix) || len(name) > len(prefix)+digits || name[:len(prefix)] != prefix {
		return false
	}
	for i := len(prefix); i < len(name); i++ {
		if name[i] < '0' || name[i] > '9' {
			return false
		}
	}
	return true
}

// db reads `keys=401,expires=400,avg_ttl=997805`.
func (s *infoScan) db(name, value string) {
	name = dbLabel(name)
	if len(s.dbs) == maxDatabases || slices.ContainsFunc(s.dbs, func(db dbInfo) bool { return db.label == name }) {
		s.dropped++
		return
	}
	db := dbInfo{label: name, keys: math.NaN(), expires: math.NaN(), averageTTLMillis: math.NaN()}
	for key, v := range pairs(value) {
		switch key {
		case "keys":
			db.keys = orUnknown(parseNumber(v))
		case "expires":
			db.expires = orUnknown(parseNumber(v))
		case "avg_ttl":
			db.averageTTLMillis = orUnknown(parseNumber(v)) // -1 in Dragonfly
		}
	}
	s.dbs = append(s.dbs, db)
}

// slave reads `ip=10.0.0.1,port=6379,state=online,offset=25272,lag=1`. Replicas
// behind the same address translation can look alike: the first one counts.
func (s *infoScan) slave(value string) {
	slave := slaveInfo{offset: math.NaN(), lag: math.NaN()}
	var ip, port, state string
	for key, v := range pairs(value) {
		switch key {
		case "ip":
			ip = clip(v)
		case "port":
			port = clip(v)
		case "state":
			state = clip(v)
		case "offset":
			slave.offset = parseNumber(v)
		case "lag":
			slave.lag = orUnknown(parseNumber(v))
		}
	}
	slave.label = label("slave_ip", ip) + label("slave_port", port) + label("slave_state", state)
	if len(s.slaves) == maxReplicas || slices.ContainsFunc(s.slaves, func(o slaveInfo) bool { return o.label == slave.label }) {
		s.dropped++
		return
	}
	s.slaves = append(s.slaves, slave)
}

// finish works out what needs the whole text, and lets go of it.
func (s *infoScan) finish(now time.Time) {
	if uptime := s.values[infoIndex.find("uptime_in_seconds")]; !math.IsNaN(uptime) {
		clock := s.serverTime
		if math.IsNaN(clock) {
			clock = float64(now.Unix())
		}
		s.start = math.Floor(clock) - uptime
	}
	if s.next == s.infoIdentity {
		return
	}
	s.infoIdentity = s.next.clone()
	s.render()
}
