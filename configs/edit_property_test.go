package configs

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEditProperty edits files of random style ten times in a row: each edit
// is in force, every comment is still there, and every line of entries that
// are not concerned is what it was to the byte.
func TestEditProperty(t *testing.T) {
	refused := 0
	for seed := range uint64(150) {
		g := &styles{rand: rand.New(rand.NewPCG(seed, 7))}
		text := g.file()
		tr := newTree(t, map[string]string{"main.yml": text})
		d, err := OpenDocument(tr.path("main.yml"))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		for round := range 10 {
			before := d.Text(d.Path())
			what, err := g.edit(d, round)
			if err != nil && strings.Contains(err.Error(), errShape.Error()) {
				refused++
				continue
			}
			if err != nil {
				t.Fatalf("seed %d, round %d, %s: %v\n%s", seed, round, what, err, before)
			}
			after := d.Text(d.Path())
			if lost := missing(comments(before), comments(after)); len(lost) > 0 {
				t.Fatalf("seed %d, round %d, %s: comments are lost: %q\n%s\n---\n%s", seed, round, what, lost, before, after)
			}
			if lost := missing(otherLines(before, what), strings.Split(after, "\n")); len(lost) > 0 {
				t.Fatalf("seed %d, round %d, %s: lines have changed: %q\n%s\n---\n%s", seed, round, what, lost, before, after)
			}
		}
		if _, err := d.Check(); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, d.Text(d.Path()))
		}
	}
	t.Logf("%d edits refused for the form of the text", refused)
	if refused > 15 {
		t.Errorf("%d of 1500 edits are refused for the form of the text", refused)
	}
}

var commentID = regexp.MustCompile(`# c[0-9]+c`)

func comments(text string) []string {
	return commentID.FindAllString(text, -1)
}

func missing(want, got []string) []string {
	have := map[string]int{}
	for _, s := range got {
		have[s]++
	}
	var lost []string
	for _, s := range want {
		if have[s]--; have[s] < 0 {
			lost = append(lost, s)
		}
	}
	return lost
}

// otherLines are the lines of a text that belong to no entry of a name and are
// not beside a list's end.
func otherLines(text, what string) []string {
	_, name, _ := strings.Cut(what, " ")
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		if id := regexp.MustCompile(`\b[caq][0-9]+\b`).FindString(line); id != "" && id != name && !strings.Contains(line, name) && !strings.Contains(line, "connection:") {
			list = append(list, line)
		}
	}
	if strings.HasPrefix(what, "add") {
		return list[:max(0, len(list)-1)]
	}
	return list
}

// styles writes configurations in the many ways that people write YAML.
type styles struct {
	rand    *rand.Rand
	comment int
	next    int
}

func (g *styles) one(of ...string) string { return of[g.rand.IntN(len(of))] }

func (g *styles) remark() string {
	if g.rand.IntN(3) > 0 {
		return ""
	}
	g.comment++
	return fmt.Sprintf("%s# c%dc", g.one(" ", "   "), g.comment)
}

func (g *styles) remarkLine(indent string) string {
	if g.rand.IntN(4) > 0 {
		return g.one("", "", "", "\n")
	}
	g.comment++
	return fmt.Sprintf("%s# c%dc\n", indent, g.comment)
}

func (g *styles) file() string {
	parts := []string{}
	if g.rand.IntN(3) == 0 {
		parts = append(parts, "defaults:\n  queue: {max_wait: 1m}\n")
	}
	var list []string
	for i := range 2 + g.rand.IntN(3) {
		list = append(list, g.connection(i))
	}
	parts = append(parts, g.list("connections", list))
	parts = append(parts, g.list("applications", []string{g.application(0), g.application(1)}))
	if g.rand.IntN(4) > 0 {
		parts = append(parts, g.list("queues", []string{g.queue(0), g.queue(1)}))
	} else if g.rand.IntN(2) == 0 {
		parts = append(parts, "queues: []"+g.remark()+"\n")
	}
	g.rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	text := g.remarkLine("") + strings.Join(parts, g.remarkLine("")) + g.remarkLine("")
	switch g.rand.IntN(6) {
	case 0:
		text = strings.TrimRight(text, "\n")
	case 1:
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case 2:
		text = "---\n" + text
	case 3:
		text = byteOrderMark + text
	}
	return text
}

// list writes entries, each given as lines without indentation, the first of
// which may be a mapping in braces.
func (g *styles) list(key string, entries []string) string {
	var b strings.Builder
	b.WriteString(key + ":" + g.remark() + "\n")
	indent := g.one("", "  ", "    ")
	gap := g.one("", "", "\n")
	for i, e := range entries {
		if i > 0 {
			b.WriteString(gap)
		}
		b.WriteString(g.remarkLine(indent))
		for j, line := range strings.Split(strings.TrimRight(e, "\n"), "\n") {
			switch {
			case j == 0:
				b.WriteString(indent + "- " + line + "\n")
			case line == "":
				b.WriteString("\n")
			default:
				b.WriteString(indent + "  " + line + "\n")
			}
		}
	}
	if indent != "" {
		b.WriteString(g.remarkLine(indent))
	}
	return b.String()
}

func (g *styles) value(text string) string { return g.one(text, `"`+text+`"`, `'`+text+`'`) }

func (g *styles) connection(i int) string {
	name := fmt.Sprintf("c%d", i)
	if g.rand.IntN(4) == 0 {
		return g.one(
			fmt.Sprintf(`{name: %s, address: "r-%s:6379"}%s`, name, name, g.remark()),
			fmt.Sprintf("{name: %s,%s\n  address: \"r-%s:6379\", # c9%d0c\n  labels: {rack: r1}}%s", name, g.remark(), name, i, g.remark()),
			fmt.Sprintf("{\n  name: %s,\n  address: \"r-%s:6379\",%s\n}", name, name, g.remark()),
		)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s%s\n", g.value(name), g.remark())
	fmt.Fprintf(&b, "address: %s%s\n", g.value("r-"+name+":6379"), g.remark())
	b.WriteString(g.remarkLine(""))
	if g.rand.IntN(2) == 0 {
		fmt.Fprintf(&b, "tls:%s\n  server_name: %s%s\n%s", g.remark(), g.value("s-"+name), g.remark(), g.remarkLine("  "))
	}
	if g.rand.IntN(3) == 0 {
		fmt.Fprintf(&b, "notes: %s\n", g.one("|\n  first "+name+"\n\n    # not a comment\n  last", ">-\n  folded "+name+"\n  text", "a text of\n  two lines "+name, `"in quotes # `+name+`"`, "|+\n  kept "+name+"\n"))
	}
	if g.rand.IntN(3) == 0 {
		fmt.Fprintf(&b, "labels: %s\n", g.one("{rack: r1}"+g.remark(), "{}"+g.remark(), g.remark()+"\n  rack: r1"+g.remark(), "\n    rack: r1\n    # c8"+fmt.Sprint(i)+"0c\n    row: \"7\""))
	}
	b.WriteString(g.remarkLine(""))
	return b.String()
}

func (g *styles) application(i int) string {
	name := fmt.Sprintf("a%d", i)
	pivots := g.one(
		"connections: [{connection: c0, primary: true}]"+g.remark(),
		"connections:"+g.remark()+"\n- {connection: c0, primary: true}"+g.remark()+"\n- connection: c1"+g.remark()+"\n  priority: 5",
		"connections:\n  - connection: c1"+g.remark()+"\n    active: false",
		"connections: []"+g.remark(),
		"connections:"+g.remark(),
		"team: t"+g.remark(),
	)
	return fmt.Sprintf("slug: %s%s\n%s%s", name, g.remark(), pivots+"\n", g.remarkLine(""))
}

func (g *styles) queue(i int) string {
	name := fmt.Sprintf("q%d", i)
	names := g.one("[high, default]", "\n- high"+g.remark()+"\n- default", "\n  - high\n  - default"+g.remark(), "[ # c7"+fmt.Sprint(i)+"0c\n  high, default]")
	worker := g.one("", "worker: {user: www-data}"+g.remark()+"\n", "worker:"+g.remark()+"\n  user: www-data\n  environment:\n    APP_ENV: "+g.value("x")+g.remark()+"\n")
	return fmt.Sprintf("name: %s%s\napplication: a%d\nconnection: c0%s\nqueue_names: %s\n%s", name, g.remark(), i, g.remark(), names, worker)
}

// edit makes one random change and returns what it was and whose.
func (g *styles) edit(d *Editor, round int) (string, error) {
	value := fmt.Sprintf("v%d", round)
	switch g.rand.IntN(9) {
	case 0:
		g.next++
		name := fmt.Sprintf("c%d", 100+g.next)
		return "add " + name, g.verified(d, ConnectionEntry, name, d.Add(ConnectionEntry, name, "", []Setting{
			{Key: "address", Value: "x:1"}, {Key: "notes", Value: g.one("short", "two\nlines", "# hash", " lead", "a: b", "\ttab", "é\u00a0", "trailing\n\n")}, {Key: "labels.a", Value: "1"},
		}))
	case 1:
		g.next++
		name := fmt.Sprintf("q%d", 100+g.next)
		return "add " + name, g.verified(d, QueueEntry, name, d.Add(QueueEntry, name, "", []Setting{
			{Key: "application", Value: "a0"}, {Key: "connection", Value: "c1"}, {Key: "queue_names", Value: "x" + name}, {Key: "max_wait", Value: "5m"},
		}))
	case 2, 3, 4:
		name := g.pick(d, ConnectionEntry)
		s := []Setting{
			{Key: "region", Value: value}, {Key: "active", Value: g.one("true", "false")}, {Key: "tls.server_name", Value: value}, {Key: "notes", Value: "n\n" + value},
			{Key: "labels.rack", Value: value}, {Key: "labels." + value, Value: "{x}"}, {Key: "options.pool_size", Value: "7"}, {Key: "labels", Value: `{"rack": "r9", "row": "1"}`},
			{Key: "deleted_at", Value: "2026-11-26T20:00:00Z"}, {Key: "deleted_at", Unset: true}, {Key: "labels.rack", Unset: true}, {Key: "tls.server_name", Unset: true},
			{Key: "address", Value: value + ":6379"}, {Key: "notes", Unset: true}, {Key: "region", Unset: true}, {Key: "credentials_expire_at", Value: "2030-01-31"},
		}[g.rand.IntN(16)]
		if s.Unset && strings.HasPrefix(s.Key, "labels") {
			return "set " + name, d.Set(ConnectionEntry, name, []Setting{s})
		}
		return "set " + name, g.verified(d, ConnectionEntry, name, d.Set(ConnectionEntry, name, []Setting{s}), s)
	case 5, 6:
		name := g.pick(d, QueueEntry)
		if name == "" {
			return "nothing", nil
		}
		s := []Setting{
			{Key: "queue_names", Value: "default," + value}, {Key: "max_wait", Value: "77s"}, {Key: "worker.environment.NEW", Value: value}, {Key: "worker.user", Value: "www-data"},
			{Key: "worker.restart_on", Value: "/srv/" + value}, {Key: "objective", Value: "0.5"}, {Key: "key_prefix", Value: ""}, {Key: "max_wait", Unset: true},
		}[g.rand.IntN(8)]
		settings := []Setting{s}
		if strings.HasPrefix(s.Key, "worker.") {
			settings = append(settings, Setting{Key: "worker.directory", Value: "/srv"}, Setting{Key: "worker.preset", Value: "laravel"})
			if s.Key != "worker.user" {
				settings = append(settings, Setting{Key: "worker.user", Value: "www-data"})
			}
		}
		if s.Key == "max_wait" || s.Key == "objective" || s.Key == "key_prefix" {
			settings = append(settings, Setting{Key: "active", Value: "false"}) // or it would have to agree with others
		}
		return "set " + name, g.verified(d, QueueEntry, name, d.Set(QueueEntry, name, settings), settings...)
	case 7:
		name := g.pick(d, ApplicationEntry)
		c := g.pick(d, ConnectionEntry)
		return "attach " + name, d.Attach(name, c, []Setting{{Key: "primary", Value: "true"}, {Key: "priority", Value: "3"}})
	default:
		name := g.pick(d, ApplicationEntry)
		e, _ := d.Find(ApplicationEntry, name)
		pivots := e.Application().Connections
		if len(pivots) == 0 {
			return "nothing", nil
		}
		p := pivots[g.rand.IntN(len(pivots))]
		entry, list, err := d.pivots(name)
		if err != nil {
			return "detach " + name, err
		}
		// The comments of what goes may go with it.
		i := slices.IndexFunc(pivots, func(x ApplicationConnection) bool { return x.Connection == p.Connection })
		from, _ := entry.file.t.lineOf(entry.file.t.start(list.Content[i]))
		to := newEdit(entry.file.t).end(list.Content[i])
		if _, end := entry.file.t.lineOf(to); strings.Contains(entry.file.t.text[from:end], "#") {
			return "nothing", nil
		}
		return "detach " + name, d.Detach(name, p.Connection)
	}
}

func (g *styles) pick(d *Editor, kind EntryKind) string {
	list := d.Entries(kind)
	if len(list) == 0 {
		return ""
	}
	return list[g.rand.IntN(len(list))].Name
}

// verified reads back what was set.
func (g *styles) verified(d *Editor, kind EntryKind, name string, err error, settings ...Setting) error {
	if err != nil {
		return err
	}
	e, ok := d.Find(kind, name)
	if !ok {
		return fmt.Errorf("%s is lost", name)
	}
	for _, s := range settings {
		v, _ := fieldAt(e.value, strings.Split(s.Key, "."))
		typ, _, _ := typeAt(kind, s.Key)
		want, werr := valueNode(typ, s.Value)
		if s.Unset || werr != nil {
			continue
		}
		if got := newNodeWriter().whole(v, false); !strings.EqualFold(flowText(got), flowText(want)) && s.Key != "max_wait" {
			return fmt.Errorf("%s of %s is %s, want %s", s.Key, name, flowText(got), flowText(want))
		}
	}
	return nil
}
