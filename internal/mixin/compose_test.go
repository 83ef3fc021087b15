package mixin_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/mixin"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

const compose = root + "/deploy/compose"

// What the services of the compose file read is there and right, once the first
// of them has rendered the mixin.
func TestCompose(t *testing.T) {
	dir := render(t, mixin.Options{ConfigFile: compose + "/mixin.yaml"})
	document, err := configs.ReadDocument("compose.yaml", []byte(read(t, compose+"/compose.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	volumes, _ := document.Value["volumes"].(map[string]any)
	services, _ := document.Value["services"].(map[string]any)
	mounts, reads := 0, 0
	for name, service := range services {
		s, _ := service.(map[string]any)
		list, _ := s["volumes"].([]any)
		for _, v := range list {
			mounts++
			source, _, _ := strings.Cut(v.(string), ":")
			if _, isVolume := volumes[source]; isVolume {
				continue
			}
			if _, err := os.Stat(filepath.Join(compose, source)); err != nil {
				t.Errorf("%s mounts %v", name, err)
			}
		}
		for _, word := range words(s["command"], s["environment"]) {
			_, below, ok := strings.Cut(word, "/mixin/")
			if !ok {
				continue
			}
			reads++
			if _, err := os.Stat(filepath.Join(dir, below)); err != nil {
				t.Errorf("%s reads what is not rendered: %v", name, err)
			}
		}
	}
	if mounts < 6 || reads < 3 {
		t.Errorf("%d mounts, %d paths: too few to be all", mounts, reads)
	}
	checkConfigurations(t, dir)
}

// words are the texts in lists and mappings.
func words(values ...any) []string {
	var list []string
	for _, value := range values {
		switch v := value.(type) {
		case string:
			list = append(list, v)
		case []any:
			list = append(list, words(v...)...)
		case map[string]any:
			for _, below := range v {
				list = append(list, words(below)...)
			}
		}
	}
	return list
}

// checkConfigurations lets Prometheus' and Alertmanager's tools read theirs.
func checkConfigurations(t *testing.T, dir string) {
	t.Helper()
	redistest.Need(t, "promtool")
	redistest.Need(t, "amtool")
	file := filepath.Join(dir, "prometheus.yml")
	write(t, file, strings.ReplaceAll(read(t, compose+"/prometheus.yml"), "/mixin/", dir+"/"))
	out, err := exec.CommandContext(t.Context(), "promtool", "check", "config", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "2 rule files found") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := amtool(t, "check-config", filepath.Join(dir, "alerts/alertmanager/alertmanager.yml")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
