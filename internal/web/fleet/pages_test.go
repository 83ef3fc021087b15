package fleet

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/collector"
)

var nameCell = regexp.MustCompile(`<span class="name">([^<]*)</span>`)

// rows returns the names that a page lists, in order.
func rows(text string) string {
	var names []string
	for _, match := range nameCell.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return strings.Join(names, " ")
}

func TestConnectionsPage(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	tests := []struct{ query, want string }{
		{"", "crm-us slow fresh shop-eu old gone"}, // what wants attention first
		{"?state=up", "shop-eu"},
		{"?state=hung", "slow"},
		{"?q=crm", "crm-us"},
		{"?application=shop", "shop-eu"},
		{"?state=up&application=crm", ""},
	}
	for _, tt := range tests {
		if _, text := f.do("GET", "/connections"+tt.query); rows(text) != tt.want {
			t.Errorf("%q: %q, want %q", tt.query, rows(text), tt.want)
		}
	}

	_, text := f.do("GET", "/connections?application=shop&q=eu")
	for _, want := range []string{
		`<a href="connections?application=shop&amp;q=eu" aria-current="true">all<b>1</b></a>`,
		`<a href="connections?application=shop&amp;q=eu&amp;state=up">up<b>1</b></a>`,
		`<a href="connections?q=eu" title="Remove this filter">application: shop ×</a>`,
		`<input type="hidden" name="application" value="shop">`,
		`value="eu"`,
		`<span class="badge good">up</span>`,
		`>300 µs<`, `>2.1 ms<`, `>3s ago</time>`, `title="2026-11-26T11:59:57Z"`,
		`&lt;script&gt;alert(&#39;notes&#39;)&lt;/script&gt; and &lt;secret&gt;`,
		`<a href="queues?connection=shop-eu">2</a>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	_, text = f.do("GET", "/connections?state=down")
	for _, want := range []string{`<span class="alarm">auth</span>`, `WRONGPASS &lt;b&gt;for&lt;/b&gt; &#34;&lt;secret&gt;&#34;`, `>26h ago</time>`, `>1.50 s<`, `>–</td>`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestPagesRunNothingInline(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|javascript:`)
	for _, path := range []string{"/", "/connections", "/queues", "/probe?connection=%22onload=x"} {
		_, text := f.do("GET", path)
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s has %q, which the content security policy refuses", path, found)
		}
	}
}

func TestQueuesPage(t *testing.T) {
	f := newFixture(t, sampleFleet(), nil)
	tests := []struct{ query, want string }{
		{"", "&lt;img src=x&gt; halted mail default tenant-7"},
		{"?sort=age", "default tenant-7 &lt;img src=x&gt; halted mail"},
		{"?sort=ready", "default halted tenant-7 &lt;img src=x&gt; mail"},
		{"?sort=expired", "default &lt;img src=x&gt; halted mail tenant-7"},
		{"?state=late", "default"},
		{"?connection=shop-eu", "default tenant-7"},
		{"?application=crm&q=mail", "mail"},
	}
	for _, tt := range tests {
		if _, text := f.do("GET", "/queues"+tt.query); rows(text) != tt.want {
			t.Errorf("%q: %q, want %q", tt.query, rows(text), tt.want)
		}
	}
	_, text := f.do("GET", "/queues?application=shop")
	for _, want := range []string{
		"12\u202f345", `<span class="alarm">95s</span><span class="sub">of 30s</span>`, `≥ 20s`, `<span class="alarm">2</span>`,
		`<span class="zero">0</span>`, `<span class="badge hung">late</span>`, `found by tenant-*`, `fill="#3B82F6"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestPagination(t *testing.T) {
	fleet := &fakeFleet{}
	const total = 10_000
	for i := range total {
		fleet.connections = append(fleet.connections, collector.ConnectionStatus{Name: fmt.Sprintf("c%05d", i), State: collector.Up, Active: true, Team: "t" + strconv.Itoa(i%2)})
	}
	f := newFixture(t, fleet, nil)
	tests := []struct {
		query, first, last, position string
		prev, next                   string
	}{
		{"", "c00000", "c00199", "1–200 of 10000", "", "connections?page=2"},
		{"?page=2", "c00200", "c00399", "201–400 of 10000", "connections?page=1", "connections?page=3"},
		{"?page=50", "c09800", "c09999", "9801–10000 of 10000", "connections?page=49", ""},
		{"?page=51", "c09800", "c09999", "9801–10000 of 10000", "connections?page=49", ""},
		{"?page=99999999999999999999", "", "", "", "", ""},
		{"?team=t1&page=25", "c09601", "c09999", "4801–5000 of 5000", "connections?page=24&amp;team=t1", ""},
		{"?q=c0123", "c01230", "c01239", "1–10 of 10", "", ""},
	}
	for _, tt := range tests {
		answer, text := f.do("GET", "/connections"+tt.query)
		if tt.first == "" {
			if answer.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %d", tt.query, answer.StatusCode)
			}
			continue
		}
		names := strings.Fields(rows(text))
		if len(names) == 0 || names[0] != tt.first || names[len(names)-1] != tt.last || !strings.Contains(text, tt.position) {
			t.Errorf("%q: %v", tt.query, names)
		}
		if strings.Contains(text, `rel="prev"`) != (tt.prev != "") || tt.prev != "" && !strings.Contains(text, `<a href="`+tt.prev+`" rel="prev"`) {
			t.Errorf("%q: no link to %q", tt.query, tt.prev)
		}
		if strings.Contains(text, `rel="next"`) != (tt.next != "") || tt.next != "" && !strings.Contains(text, `<a href="`+tt.next+`" rel="next"`) {
			t.Errorf("%q: no link to %q", tt.query, tt.next)
		}
		if len(text) > 300_000 {
			t.Errorf("%q: %d bytes", tt.query, len(text))
		}
	}
}

func TestTabsKeepTheirFilters(t *testing.T) {
	l := newList("queues", map[string][]string{"team": {"a", "b"}, "state": {"late"}, "page": {"3"}, "q": {"x y"}},
		[]string{"late", "ok"}, map[string]int{"ok": 4})
	want := []tab{
		{"all", "queues?q=x+y&team=a&team=b", 4, false},
		{"late", "queues?q=x+y&state=late&team=a&team=b", 0, true},
		{"ok", "queues?q=x+y&state=ok&team=a&team=b", 4, false},
	}
	if diff := cmp.Diff(want, l.Tabs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]field{{"state", "late"}, {"team", "a"}, {"team", "b"}}, l.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkConnectionsPage(b *testing.B) {
	fleet := &fakeFleet{}
	for i := range 10_000 {
		fleet.connections = append(fleet.connections, collector.ConnectionStatus{Name: fmt.Sprintf("c%05d", i), State: collector.Up, Error: "dial tcp: refused"})
	}
	f := newFixture(&testing.T{}, fleet, nil)
	for b.Loop() {
		f.do("GET", "/connections?q=c00")
	}
}
