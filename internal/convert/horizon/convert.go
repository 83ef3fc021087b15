package horizon

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// Options are what the application does not say of itself.
type Options struct {
	Application string // slug; "" = made of the application's name
	Directory   string // where the application is, for its workers; "" = not said
	User        string // whom workers run as; "" = not said
	NoWorkers   bool   // watch the queues only
}

// Password is a password that was found. The entries have none.
type Password struct {
	Connection string
	Sentinel   bool
	Variable   string // of the application's environment that holds it; "" = none does
	Value      configs.Secret
}

// Found is an application's configuration in Queuefleet's terms.
type Found struct {
	Slug         string
	Environment  string
	Connections  []configs.Connection
	Applications []configs.Application
	Queues       []configs.Queue
	Passwords    []Password
	Warnings     []string // of what could not be carried over
}

// Convert says what an application's configuration means.
func Convert(e *Evaluated, o Options) (*Found, error) {
	slug := cmp.Or(o.Application, slugOf(e.AppName))
	if !validName.MatchString(slug) {
		return nil, fmt.Errorf("the application's name %q makes no slug: give --application", e.AppName)
	}
	c := &converter{
		e: e, o: o, redis: map[string]string{}, waits: map[string]bool{}, settings: map[string][]string{},
		out: &Found{Slug: slug, Environment: e.Environment, Warnings: slices.Clone(e.Warnings)},
	}
	if !e.Has["horizon"] || !e.Has["queue"] || !e.Has["database"] {
		return nil, fmt.Errorf("%s: %s", e.source.ConfigDir, cmp.Or(strings.Join(e.Warnings, "; "), "a file is missing"))
	}
	if e.Chosen == nil {
		return nil, fmt.Errorf("no environment of horizon.php matches %q, so Horizon would run nothing; there are: %s; choose one by --environment",
			e.Environment, cmp.Or(strings.Join(e.Environments, ", "), "none"))
	}
	c.connections()
	c.application()
	c.supervisors()
	c.unusedWaits()
	c.otherEnvironments()
	c.settle()
	return c.out, nil
}

type converter struct {
	e     *Evaluated
	o     Options
	out   *Found
	redis map[string]string // connections by their names in database.redis
	waits map[string]bool   // those that belong to a supervisor

	settings map[string][]string // of clients, that are left out: connections that have them
}

func (c *converter) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(c.out.Warnings, text) {
		c.out.Warnings = append(c.out.Warnings, text)
	}
}

var (
	validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$`)
	noName    = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
	noSlug    = regexp.MustCompile(`[^a-z0-9]+`)
)

func slugOf(name string) string {
	return strings.Trim(noSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
}

// named is the name of something of the application's in the fleet, where
// other applications have the same.
func (c *converter) named(name string) string {
	name = strings.Trim(noName.ReplaceAllString(name, "-"), "-")
	if name == c.out.Slug || strings.HasPrefix(name, c.out.Slug+"-") {
		return name
	}
	return c.out.Slug + "-" + name
}

// application is the application itself, with its cache and its Horizon.
func (c *converter) application() {
	a := configs.NewApplication(c.out.Slug)
	a.Name = cmp.Or(c.e.AppName, a.Slug)
	for i := range c.out.Connections {
		name := c.out.Connections[i].Name
		a.Connections = append(a.Connections, configs.ApplicationConnection{
			Connection: name, Primary: name == c.redis["default"], Priority: 10 * (i + 1), Active: true,
		})
	}
	if c.redis["default"] == "" {
		c.warn("database.redis has no connection default: set primary at one of the application's connections")
	}
	use := cmp.Or(c.e.Horizon.get("use").str(), "default")
	if name := c.redis[use]; name != "" {
		a.Horizon = &configs.KeySpace{Connection: name, Prefix: c.e.Horizon.get("prefix").str()}
	} else {
		c.warn("horizon.use: there is no Redis connection %q", use)
	}
	c.cache(&a)
	c.out.Applications = append(c.out.Applications, a)
}

// cache finds where Laravel keeps the flags by which workers are restarted and
// paused.
func (c *converter) cache(a *configs.Application) {
	store := c.e.Cache.get("stores", c.e.Cache.get("default").str())
	if !store.isArray() {
		return
	}
	if driver := store.get("driver").str(); driver != "redis" {
		c.warn("cache: the default store is %s, not Redis: whether queues are paused cannot be seen there", cmp.Or(driver, "unknown"))
		return
	}
	name := c.redis[cmp.Or(store.get("connection").str(), "default")]
	if name == "" {
		c.warn("cache: there is no Redis connection %q", store.get("connection").str())
		return
	}
	prefix := store.get("prefix")
	if !prefix.given() {
		prefix = c.e.Cache.get("prefix")
	}
	a.Cache = &configs.KeySpace{Connection: name, Prefix: prefix.str()}
}

// otherEnvironments warns of what this import does not look at.
func (c *converter) otherEnvironments() {
	var others []string
	for _, name := range c.e.Environments {
		if name != *c.e.Chosen {
			others = append(others, name)
		}
	}
	if len(others) > 0 {
		c.warn("the environments %s of horizon.php are not imported: each is a deployment of its own, with its own Redis; "+
			"import it there by --environment and --application", strings.Join(others, ", "))
	}
}
