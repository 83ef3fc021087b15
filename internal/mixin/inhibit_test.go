package mixin_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/redistest"
)

// startAlertmanager starts a real one with the configuration and returns its
// address.
func startAlertmanager(t *testing.T, config string) string {
	t.Helper()
	redistest.Need(t, "prometheus-alertmanager")
	command := exec.CommandContext(t.Context(), "prometheus-alertmanager", "--config.file="+config, "--storage.path="+t.TempDir(),
		"--web.listen-address=127.0.0.1:0", "--cluster.listen-address=")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = w
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	found, drained := make(chan string, 1), make(chan struct{})
	var log strings.Builder
	go func() {
		defer close(drained)
		listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			fmt.Fprintln(&log, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	t.Cleanup(func() {
		_ = command.Wait() // the test's context has ended it
		<-drained
		_ = r.Close()
	})
	select {
	case address := <-found:
		return "http://" + address
	case <-drained:
		t.Fatalf("Alertmanager does not start:\n%s", log.String())
		return ""
	}
}

type alert struct {
	Labels map[string]string `json:"labels"`
	Status struct {
		State string `json:"state"`
	} `json:"status"`
}

func labels(text, row string) map[string]string {
	m := map[string]string{"region": row}
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return m
}

func post(t *testing.T, url string, alerts []alert) {
	t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
}

// get reads an answer of the API; one that is not there yet is nothing.
func get(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Log(err)
		return
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Error(err)
		}
	}
}

// TestInhibition posts what inhibit.tsv says to a running Alertmanager. The
// region keeps the rows apart: every rule wants it to be equal.
func TestInhibition(t *testing.T) {
	url := startAlertmanager(t, alertmanagerFile(t))
	table := rows(t, tests+"/inhibit.tsv", 3)
	var all []alert
	for i, row := range table {
		all = append(all, alert{Labels: labels(row[0], fmt.Sprint("row-", i))}, alert{Labels: labels(row[1], fmt.Sprint("row-", i))})
	}
	post(t, url, all)
	states := map[string]string{}
	if !eventually(func() bool {
		var alerts []alert
		get(t, url+"/api/v2/alerts", &alerts)
		for _, a := range alerts {
			states[key(a.Labels)] = a.Status.State
		}
		for i, row := range table {
			if states[key(labels(row[1], fmt.Sprint("row-", i)))] != row[2] {
				return false
			}
		}
		return len(alerts) == len(all)
	}) {
		for i, row := range table {
			if got := states[key(labels(row[1], fmt.Sprint("row-", i)))]; got != row[2] {
				t.Errorf("%s\n  makes %s\n  %q, want %s", row[0], row[1], got, row[2])
			}
		}
	}
}

// eventually reports whether what is hoped for comes true; only a test that
// fails waits to the end.
func eventually(hope func() bool) bool {
	const patience, pause = 30 * time.Second, 50 * time.Millisecond
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(pause) {
		if hope() {
			return true
		}
	}
	return false
}

func key(labels map[string]string) string {
	text, _ := json.Marshal(labels)
	return string(text)
}

// A dead server is one message, whatever it is about; queues are grouped by
// application.
func TestGroups(t *testing.T) {
	url := startAlertmanager(t, alertmanagerFile(t))
	var all []alert
	for _, text := range []string{
		"alertname=RedisConnectionFlapping severity=critical environment=production team=crm connection=a",
		"alertname=RedisMemoryFull severity=critical environment=production team=crm connection=a",
		"alertname=RedisMemoryFull severity=critical environment=production team=crm connection=b",
		"alertname=RedisQueueHasNoWorkers severity=critical environment=production team=crm application=crm connection=a queue=x",
		"alertname=RedisQueueHasNoWorkers severity=critical environment=production team=crm application=crm connection=b queue=y",
	} {
		all = append(all, alert{Labels: labels(text, "eu")})
	}
	post(t, url, all)
	want := map[string]int{
		"crm-page a  ":                         2,
		"crm-page b  ":                         1,
		"crm-page  crm RedisQueueHasNoWorkers": 2,
	}
	var got map[string]int
	if !eventually(func() bool {
		var groups []struct {
			Labels   map[string]string     `json:"labels"`
			Receiver struct{ Name string } `json:"receiver"`
			Alerts   []alert               `json:"alerts"`
		}
		get(t, url+"/api/v2/alerts/groups", &groups)
		got = map[string]int{}
		for _, g := range groups {
			got[fmt.Sprintf("%s %s %s %s", g.Receiver.Name, g.Labels["connection"], g.Labels["application"], g.Labels["alertname"])] = len(g.Alerts)
		}
		return cmp.Equal(want, got)
	}) {
		t.Error(cmp.Diff(want, got))
	}
}
