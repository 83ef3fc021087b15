package redisexporter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// known are redis_exporter's flags. A text says why one is not carried over,
// or what takes its place; those without a text are carried.
var known = map[string]flagKind{
	"redis.addr": {}, "redis.user": {}, "redis.password": {}, "redis.password-file": {}, "is-cluster": {isBool: true},
	"tls-client-key-file": {}, "tls-client-cert-file": {}, "tls-ca-cert-file": {}, "tls-server-name": {}, "skip-tls-verification": {isBool: true},
	"connection-timeout": {},

	"check-keys":                        {text: keysText},
	"check-single-keys":                 {text: keysText},
	"count-keys":                        {text: keysText},
	"check-key-groups":                  {text: keysText},
	"check-streams":                     {text: "streams are not read"},
	"check-single-streams":              {text: "streams are not read"},
	"streams-exclude-consumer-metrics":  {isBool: true, text: "streams are not read"},
	"script":                            {text: "scripts are not run: what a scrape costs a server has a bound"},
	"lua-script-read-only":              {isBool: true, text: "scripts are not run"},
	"include-system-metrics":            {isBool: true, text: alwaysText},
	"export-client-list":                {isBool: true, text: "clients are counted, not listed: their ids would be series without end"},
	"export-client-port":                {isBool: true, text: "clients are counted, not listed"},
	"exclude-latency-histogram-metrics": {isBool: true, text: "latency is off unless the exporter runs with --collector.latency"},
	"web.listen-address":                {text: "queuefleet_exporter listens on :10379; give it --web.listen-address"},
	"web.telemetry-path":                {text: "the path is /metrics"},
	"tls-server-key-file":               {text: webText},
	"tls-server-cert-file":              {text: webText},
	"tls-server-ca-cert-file":           {text: webText},
	"tls-server-min-version":            {text: webText},
	"basic-auth-username":               {text: webText},
	"basic-auth-password":               {text: webText},
	"basic-auth-hash-password":          {text: webText},
	"namespace":                         {text: "metrics are named redis_…"},
	"log-level":                         {text: "give queuefleet_exporter --log.level"},
	"log-format":                        {text: "give queuefleet_exporter --log.format"},
	"debug":                             {isBool: true, text: "give queuefleet_exporter --log.level=debug"},
	"set-client-name":                   {isBool: true, text: "clients are always named, by options.client_name"},
	"redis-only-metrics":                {isBool: true, text: "the exporter's own metrics are always there"},
	"append-instance-role-label":        {isBool: true, text: "the role is a label of redis_instance_info"},

	"check-keys-batch-size": {text: noneText}, "max-distinct-key-groups": {text: noneText}, "config-command": {text: noneText},
	"check-search-indexes": {text: noneText}, "ping-on-connect": {isBool: true, text: alwaysText},
	"disable-exporting-key-values": {isBool: true, text: noneText}, "skip-checkkeys-for-role-master": {isBool: true, text: noneText},
	"include-config-metrics": {isBool: true, text: noneText}, "redact-config-metrics": {isBool: true, text: noneText},
	"include-modules-metrics": {isBool: true, text: noneText}, "include-search-indexes-metrics": {isBool: true, text: noneText},
	"include-sentinel-peer-info": {isBool: true, text: noneText}, "include-rdb-file-size-metric": {isBool: true, text: noneText},
	"include-metrics-for-empty-databases": {isBool: true, text: noneText}, "cluster-discover-hostnames": {isBool: true, text: noneText},
	"is-tile38": {isBool: true, text: noneText}, "include-go-runtime-metrics": {isBool: true, text: alwaysText},
	"disable-scrape-endpoint": {isBool: true, text: "only configured connections can be asked for"},
	"version":                 {isBool: true, text: noneText}, "help": {isBool: true, text: noneText},
}

const (
	keysText   = "keys are not watched; where they are queues, add a queue configuration with framework, queue_names and key_prefix"
	webText    = "TLS and users of the exporter's own page belong into the file of --web.config.file"
	alwaysText = "is always so"
	noneText   = "has no counterpart"
)

type flagKind struct {
	isBool bool
	text   string
}

// setting is the value of a flag and where it was given.
type setting struct {
	value string
	at    configs.Position
}

// settings are redis_exporter's flags after the command line and environment.
type settings map[string]setting

func (s settings) value(name string) string { return s[name].value }

func (s settings) on(name string) bool {
	v, ok := s[name]
	return ok && v.value != "false" && v.value != "0" && v.value != "f"
}

// read takes the flags of a command line. Its words are without the program.
func (s settings) read(words []string, at configs.Position) ([]configs.Warning, error) {
	var warnings []configs.Warning
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if !strings.HasPrefix(word, "-") {
			warnings = append(warnings, configs.Warning{Position: at, Text: "a word of the command line that belongs to no flag is left out"})
			continue
		}
		name, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
		kind, ok := known[name]
		switch {
		case !ok:
			warnings = append(warnings, configs.Warning{Position: at, Text: fmt.Sprintf("--%.64s is no flag of redis_exporter that is known here", name)})
			if !joined && len(words) > 0 && !strings.HasPrefix(words[0], "-") {
				words = words[1:]
			}
			continue
		case joined:
		case kind.isBool:
			value = "true"
		case len(words) == 0:
			return warnings, &configs.Error{Position: at, Text: fmt.Sprintf("--%s has no value", name)}
		default:
			value, words = words[0], words[1:]
		}
		s[name] = setting{value, at}
	}
	return warnings, nil
}

// fill takes from the environment what the command line does not say.
func (s settings) fill(environment map[string]setting) {
	for name := range known {
		variable := strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(name))
		if !strings.HasPrefix(variable, "REDIS_") {
			variable = "REDIS_EXPORTER_" + variable
		}
		given, ok := environment[variable]
		if _, set := s[name]; ok && !set && given.value != "" {
			s[name] = given
		}
	}
}

// warnings tell of what is not carried over.
func (s settings) warnings() []configs.Warning {
	var list []configs.Warning
	for name, given := range s {
		if text := known[name].text; text != "" && (!known[name].isBool || s.on(name)) {
			list = append(list, configs.Warning{Position: given.at, Text: "--" + name + ": " + text})
		}
	}
	slices.SortFunc(list, func(a, b configs.Warning) int { return strings.Compare(a.Text, b.Text) })
	return list
}
