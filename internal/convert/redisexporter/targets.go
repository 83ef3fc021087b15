package redisexporter

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuefleet/queuefleet/configs"
)

// target is a Redis that Prometheus lets redis_exporter look at.
type target struct {
	redis  string            // as the exporter is asked for it
	labels map[string]string // that its series get
	at     configs.Position
}

// targetReader finds the targets in a Prometheus configuration.
type targetReader struct {
	file     string
	document *configs.Document
	found    []target
	warnings []configs.Warning
}

// readTargets reads the scrape configurations that ask a redis_exporter for
// one Redis a target: those with /scrape as their path.
func readTargets(file string) ([]target, []configs.Warning, error) {
	d, err := readDocument(file)
	if err != nil {
		return nil, nil, err
	}
	r := &targetReader{file: file, document: d}
	jobs, _ := d.Value["scrape_configs"].([]any)
	for i, j := range jobs {
		if job, ok := j.(map[string]any); ok {
			if err := r.job(fmt.Sprintf("scrape_configs[%d]", i), job); err != nil {
				return nil, nil, err
			}
		}
	}
	if _, more := d.Value["scrape_config_files"]; more {
		r.warn("scrape_config_files", "files that are included are not read: give them with --prometheus, too")
	}
	return r.found, r.warnings, nil
}

// maxFile is how much is read of a file.
const maxFile = 1 << 20

func readFile(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", file)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s is larger than %d KiB", file, maxFile>>10)
	}
	return os.ReadFile(file)
}

func readDocument(file string) (*configs.Document, error) {
	raw, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return configs.ReadDocument(file, raw)
}

func (r *targetReader) warn(path, format string, args ...any) {
	r.warnings = append(r.warnings, configs.Warning{Position: r.document.At(path), Text: fmt.Sprintf(format, args...)})
}

func (r *targetReader) job(path string, job map[string]any) error {
	rules, err := readRules(r.document, path+".relabel_configs", job["relabel_configs"])
	start := map[string]string{"job": text(job["job_name"]), "__metrics_path__": "/metrics"}
	if p, given := job["metrics_path"]; given {
		start["__metrics_path__"] = text(p)
	}
	params, _ := job["params"].(map[string]any)
	for name, values := range params {
		if list, _ := values.([]any); len(list) > 0 {
			start["__param_"+name] = text(list[0])
		}
	}
	if start["__metrics_path__"] != "/scrape" {
		r.single(path, job)
		return nil
	}
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(params)) {
		if strings.HasPrefix(key, "check-") || key == "count-keys" || key == "tls_server_name" {
			r.warn(path+".params."+key, "%s is not carried over", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(job)) {
		switch at := path + "." + key; {
		case key == "static_configs":
			r.groups(r.document.At, at, job[key], start, rules)
		case key == "file_sd_configs":
			if err := r.files(at, job[key], start, rules); err != nil {
				return err
			}
		case strings.HasSuffix(key, "_sd_configs"):
			r.warn(at, "targets that are discovered are not known here: run import again with what Prometheus has found, as a file of file_sd_configs")
		case key == "metric_relabel_configs":
			r.warn(at, "is about the metrics of redis_exporter and is not carried over")
		}
	}
	return nil
}

// single tells of a redis_exporter that has one Redis of its own.
func (r *targetReader) single(path string, job map[string]any) {
	groups, _ := job["static_configs"].([]any)
	for i, g := range groups {
		group, _ := g.(map[string]any)
		targets, _ := group["targets"].([]any)
		for _, t := range targets {
			if strings.HasSuffix(text(t), ":9121") {
				r.warn(fmt.Sprintf("%s.static_configs[%d].targets", path, i), "a redis_exporter with a Redis of its own: which one, its flags say (--flags, --unit)")
				break
			}
		}
	}
}

// groups reads groups of targets with their labels.
func (r *targetReader) groups(at func(string) configs.Position, path string, value any, start map[string]string, rules []rule) {
	groups, _ := value.([]any)
	for i, g := range groups {
		group, _ := g.(map[string]any)
		labels, _ := group["labels"].(map[string]any)
		targets, _ := group["targets"].([]any)
		for j, t := range targets {
			set := maps.Clone(start)
			for name, v := range labels {
				set[name] = text(v)
			}
			set["__address__"] = text(t)
			if !apply(rules, set) {
				continue
			}
			r.add(at(fmt.Sprintf("%s[%d].targets[%d]", path, i, j)), set)
		}
	}
}

func (r *targetReader) add(at configs.Position, set map[string]string) {
	t := target{redis: set["__param_target"], labels: map[string]string{}, at: at}
	if t.redis == "" {
		r.warnings = append(r.warnings, configs.Warning{Position: at, Text: "relabel_configs give this target no __param_target: which Redis it is cannot be told"})
		return
	}
	for name, v := range set {
		if !strings.HasPrefix(name, "__") && name != "job" && v != "" {
			t.labels[name] = v
		}
	}
	r.found = append(r.found, t)
}

// files reads the files of file_sd_configs, which are JSON or YAML.
func (r *targetReader) files(path string, value any, start map[string]string, rules []rule) error {
	entries, _ := value.([]any)
	for i, e := range entries {
		entry, _ := e.(map[string]any)
		patterns, _ := entry["files"].([]any)
		for _, p := range patterns {
			pattern := text(p)
			if !filepath.IsAbs(pattern) {
				pattern = filepath.Join(filepath.Dir(r.file), pattern)
			}
			found, err := filepath.Glob(pattern)
			if err != nil || len(found) == 0 {
				r.warn(fmt.Sprintf("%s[%d].files", path, i), "%.200q names no file that is there", text(p))
			}
			for _, file := range found {
				if err := r.readFile(file, start, rules); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// readFile reads one file of targets. Its outermost value is a list, for which
// the reader needs a key.
func (r *targetReader) readFile(file string, start map[string]string, rules []rule) error {
	raw, err := readFile(file)
	if err != nil {
		return err
	}
	moved := 0
	if strings.HasPrefix(strings.TrimSpace(string(raw)), "[") {
		raw = append([]byte("targets: "), raw...)
	} else {
		moved, raw = 1, []byte(strings.ReplaceAll("targets:\n"+string(raw), "\n---\n", "\n\n"))
	}
	d, err := configs.ReadDocument(file, raw)
	if err != nil {
		return err
	}
	set := maps.Clone(start)
	set["__meta_filepath"] = file
	r.groups(func(path string) configs.Position {
		at := d.At(path)
		at.Line = max(1, at.Line-moved)
		return at
	}, "targets", d.Value["targets"], set, rules)
	return nil
}
