// Package configs reads, checks, holds and reloads the one YAML file that
// names every Redis connection, application and queue of a fleet.
//
// Everything that can fail, fails in Load. A *Config is immutable once Load
// has returned it, so it may be read from any goroutine without a lock.
package configs

// Config is a whole configuration with its includes and defaults applied.
// Connections, applications and queues that are inactive or soft-deleted are
// kept; Probed, InUse and QueueWatched tell what is in force.
type Config struct {
	Global       Global        `yaml:"global"`
	Include      []Include     `yaml:"include,omitempty"`
	Defaults     Defaults      `yaml:"defaults,omitempty"`
	Connections  []Connection  `yaml:"connections,omitempty"`
	Applications []Application `yaml:"applications,omitempty"`
	Queues       []Queue       `yaml:"queues,omitempty"`
	Access       Access        `yaml:"access,omitempty"`

	meta meta // filled by Load: files read, hash, indexes, fragments, warnings
}

// Global holds what applies to the whole fleet.
type Global struct {
	Environment      string   `yaml:"environment,omitempty"`
	ProbeTimeout     Duration `yaml:"probe_timeout,omitempty"`
	AgeIdentityFiles []string `yaml:"age_identity_files,omitempty" conf:"path"`
}

// Include names fragments by glob and what each of them may name. An empty
// list allows everything.
type Include struct {
	Path         string   `yaml:"path"`
	Applications []string `yaml:"applications,omitempty"`           // globs on the slugs that the fragment may define or use
	Users        []string `yaml:"users,omitempty"`                  // worker.user values that the fragment may name
	SecretDir    string   `yaml:"secret_dir,omitempty" conf:"path"` // every file that the fragment refers to lies below it
	Addresses    []string `yaml:"addresses,omitempty"`              // globs on the addresses that its connections may dial
}

// Defaults are merged under every entry of their kind.
type Defaults struct {
	Connection  Connection  `yaml:"connection,omitempty"`
	Application Application `yaml:"application,omitempty"`
	Queue       Queue       `yaml:"queue,omitempty"`
}

// Connection is one named Redis, Sentinel-managed Redis or Redis Cluster.
// Exactly one of Address, Sentinel and Cluster is set.
type Connection struct {
	Name     string    `yaml:"name"`
	Address  string    `yaml:"address,omitempty" conf:"one=server"` // host:port or unix:///path
	Sentinel *Sentinel `yaml:"sentinel,omitempty" conf:"one=server"`
	Cluster  *Cluster  `yaml:"cluster,omitempty" conf:"one=server"`

	Username     string `yaml:"username,omitempty"`
	Password     Secret `yaml:"password,omitempty" conf:"one=password"` // the resolved one, whichever key it came from
	PasswordFile string `yaml:"password_file,omitempty" conf:"file,one=password"`
	PasswordEnv  string `yaml:"password_env,omitempty" conf:"one=password"`
	PasswordAge  string `yaml:"password_age,omitempty" conf:"one=password"` // armored age text; ciphertext, not a secret
	Database     int    `yaml:"database"`

	TLS     *TLS              `yaml:"tls,omitempty"`
	Options ConnectionOptions `yaml:"options,omitempty"`

	Active              bool              `yaml:"active"`
	ProbeTimeout        Duration          `yaml:"probe_timeout,omitempty"`
	CredentialsExpireAt Time              `yaml:"credentials_expire_at,omitempty"`
	DeletedAt           Time              `yaml:"deleted_at,omitempty"`
	Environment         string            `yaml:"environment,omitempty"`
	Region              string            `yaml:"region,omitempty"`
	Provider            string            `yaml:"provider,omitempty"`
	Team                string            `yaml:"team,omitempty"`
	Notes               string            `yaml:"notes,omitempty"`
	Labels              map[string]string `yaml:"labels,omitempty"`
}

// Sentinel finds the master of a monitored group.
type Sentinel struct {
	Master       string   `yaml:"master"`
	Addresses    []string `yaml:"addresses"`
	Username     string   `yaml:"username,omitempty"`
	Password     Secret   `yaml:"password,omitempty" conf:"one=password"` // of the sentinels themselves
	PasswordFile string   `yaml:"password_file,omitempty" conf:"file,one=password"`
	PasswordEnv  string   `yaml:"password_env,omitempty" conf:"one=password"`
	PasswordAge  string   `yaml:"password_age,omitempty" conf:"one=password"`
}

// Cluster names the seed nodes of a Redis Cluster.
type Cluster struct {
	Addresses []string `yaml:"addresses"`
}

// TLS turns on TLS for a connection; with CertFile and KeyFile, mutual TLS.
type TLS struct {
	CAFile             string `yaml:"ca_file,omitempty" conf:"file"`
	CertFile           string `yaml:"cert_file,omitempty" conf:"file"`
	KeyFile            string `yaml:"key_file,omitempty" conf:"file"`
	ServerName         string `yaml:"server_name,omitempty"`
	MinVersion         string `yaml:"min_version,omitempty"` // TLS10 | TLS11 | TLS12 | TLS13
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify,omitempty"`

	// Contents of the files, read by Load so that connecting reads no file.
	CA   string `yaml:"-"`
	Cert string `yaml:"-"`
	Key  Secret `yaml:"-"`
}

// ConnectionOptions tune the client.
type ConnectionOptions struct {
	DialTimeout  Duration `yaml:"dial_timeout,omitempty"`
	ReadTimeout  Duration `yaml:"read_timeout,omitempty"`
	WriteTimeout Duration `yaml:"write_timeout,omitempty"`
	PoolSize     int      `yaml:"pool_size,omitempty"`
	ClientName   string   `yaml:"client_name,omitempty"`
	KeyPrefix    string   `yaml:"key_prefix,omitempty"` // default key_prefix of the queues on this connection; empty = none given
}

// Application owns connections and queue configurations.
type Application struct {
	Slug        string                  `yaml:"slug"`
	Name        string                  `yaml:"name,omitempty"`
	Description string                  `yaml:"description,omitempty"`
	Color       string                  `yaml:"color,omitempty"`
	Icon        string                  `yaml:"icon,omitempty"`
	Active      bool                    `yaml:"active"`
	Team        string                  `yaml:"team,omitempty"`
	Metadata    map[string]any          `yaml:"metadata,omitempty"`
	Connections []ApplicationConnection `yaml:"connections,omitempty"`
	Cache       *KeySpace               `yaml:"cache,omitempty"`
	Horizon     *KeySpace               `yaml:"horizon,omitempty"`
	DeletedAt   Time                    `yaml:"deleted_at,omitempty"`
}

// ApplicationConnection is the pivot between an application and a connection.
type ApplicationConnection struct {
	Connection string `yaml:"connection"`
	Primary    bool   `yaml:"primary"`
	Priority   int    `yaml:"priority"`
	Active     bool   `yaml:"active"`
}

// KeySpace says where an application keeps something: a connection and the
// prefix of its keys there.
type KeySpace struct {
	Connection string `yaml:"connection"`
	Prefix     string `yaml:"prefix,omitempty"`
}

// Queue is one queue configuration: which queues of an application on a
// connection are watched and, with Worker, how they are worked.
type Queue struct {
	Name          string   `yaml:"name,omitempty"` // default <application>-<connection>
	Application   string   `yaml:"application"`
	Connection    string   `yaml:"connection"`
	QueueNames    []string `yaml:"queue_names"`
	Framework     string   `yaml:"framework,omitempty"`
	KeyPrefix     *string  `yaml:"key_prefix,omitempty"` // nil = detect, "" = none
	RetryAfter    Duration `yaml:"retry_after,omitempty"`
	MaxDiscovered int      `yaml:"max_discovered,omitempty"`
	Active        bool     `yaml:"active"`
	Hosts         []string `yaml:"hosts,omitempty"`
	QueueTTL      Duration `yaml:"queue_ttl,omitempty"`
	DeletedAt     Time     `yaml:"deleted_at,omitempty"`

	Balance             string   `yaml:"balance,omitempty"`
	ScalingRules        string   `yaml:"scaling_rules,omitempty"`
	AutoScalingStrategy string   `yaml:"auto_scaling_strategy,omitempty"`
	MinProcesses        int      `yaml:"min_processes"`
	MaxProcesses        int      `yaml:"max_processes"`
	MaxSurge            int      `yaml:"max_surge"`
	BalanceMaxShift     int      `yaml:"balance_max_shift,omitempty"`
	BalanceCooldown     Duration `yaml:"balance_cooldown"`
	MaxWait             Duration `yaml:"max_wait,omitempty"`  // the wait objective
	Objective           float64  `yaml:"objective,omitempty"` // share of time in which max_wait must hold

	Tries   int      `yaml:"tries"`
	Timeout Duration `yaml:"timeout,omitempty"`
	Memory  Bytes    `yaml:"memory,omitempty"`
	Backoff Duration `yaml:"backoff"`
	Sleep   Duration `yaml:"sleep"`
	Rest    Duration `yaml:"rest"`
	MaxJobs int      `yaml:"max_jobs"`
	MaxTime Duration `yaml:"max_time"`
	Nice    int      `yaml:"nice"`

	Worker *Worker `yaml:"worker,omitempty"` // nil: the queues are watched, not worked
}

// Worker says how the processes of a queue configuration are run.
type Worker struct {
	Preset           string            `yaml:"preset"`
	Command          []string          `yaml:"command,omitempty"`
	QueueConnection  string            `yaml:"queue_connection"`
	EnvironmentNames EnvironmentNames  `yaml:"environment_names,omitempty"`
	Directory        string            `yaml:"directory,omitempty" conf:"path"`
	User             string            `yaml:"user,omitempty"`
	Group            string            `yaml:"group,omitempty"`
	Umask            string            `yaml:"umask,omitempty"`
	Rlimits          map[string]uint64 `yaml:"rlimits,omitempty"`
	MemoryMax        Bytes             `yaml:"memory_max,omitempty"`
	Environment      map[string]string `yaml:"environment,omitempty"`
	EnvironmentFile  string            `yaml:"environment_file,omitempty" conf:"file"`
	StopSignal       string            `yaml:"stop_signal,omitempty"`
	StopTimeout      Duration          `yaml:"stop_timeout"`           // default timeout + 10 s; never 0
	PauseSignal      *string           `yaml:"pause_signal,omitempty"` // nil = the preset's own, "" = none
	ContinueSignal   *string           `yaml:"continue_signal,omitempty"`
	DeathSignal      string            `yaml:"death_signal,omitempty"`
	RestartOn        []string          `yaml:"restart_on,omitempty" conf:"path"`
	Generate         string            `yaml:"generate,omitempty" conf:"path"` // horizon: directory of the files that the application's configuration includes

	// SecretDir is the directory that EnvironmentFile must not lead out of, also
	// not by a symbolic link; "" = it may lie anywhere.
	SecretDir string `yaml:"-"`
}

// EnvironmentNames are the variables by which a worker is told its connection.
type EnvironmentNames struct {
	Host     string `yaml:"host"`
	Port     string `yaml:"port"`
	Password string `yaml:"password"`
	Username string `yaml:"username"`
	Database string `yaml:"database"`
}

// Access gives roles to the users that --web.config.file knows.
type Access struct {
	Users []User `yaml:"users,omitempty"`
}

// User is one basic-auth user or client certificate CN with its role.
type User struct {
	User         string   `yaml:"user"`
	Role         string   `yaml:"role"`                   // viewer | operator | admin
	Applications []string `yaml:"applications,omitempty"` // globs; empty = all
}
