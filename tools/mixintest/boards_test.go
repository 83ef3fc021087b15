package mixintest

import (
	"fmt"
	"strings"
	"testing"
)

// TestPanelLibraryRefuses holds the panel library to what it promises: what
// would leave a reader alone, or a server busy, does not render.
func TestPanelLibraryRefuses(t *testing.T) {
	const (
		texts = `ask: 'a', good: 'b', next: 'c'`
		stat  = `{ title: 'T', ` + texts + `, targets: 'up', unit: 's' }`
	)
	for name, c := range map[string]struct{ snippet, want string }{
		"a panel that renders":  {`g.stat(` + stat + `)`, ""},
		"no title":              {`g.stat(` + stat + ` + { title: '' })`, "a panel without a title"},
		"no question":           {`g.stat({ title: 'T', good: 'b', next: 'c', targets: 'up', unit: 's' })`, `panel "T" has no ask`},
		"nothing of good":       {`g.stat(` + stat + ` + { good: '' })`, `panel "T" has no good`},
		"no way on":             {`g.timeseries(` + stat + ` + { next: '' })`, `panel "T" has no next`},
		"no unit":               {`g.timeseries({ title: 'T', ` + texts + `, targets: 'up' })`, `panel "T" has no unit`},
		"no unit of a column":   {`g.table({ title: 'T', ` + texts + `, by: 'job', columns: [{ expr: 'up', name: 'C' }], sort: 'C' })`, `table "T", column "C" has no unit`},
		"25 queries":            {board(`[g.row('R', [g.stat(` + stat + ` + { title: 'T%d' % i }) for i in std.range(1, 25)])]`), ""},
		"26 queries":            {board(`[g.row('R', [g.stat(` + stat + ` + { title: 'T%d' % i }) for i in std.range(1, 26)])]`), "x asks 26 queries before a row is opened, at most 25"},
		"26 in a closed row":    {board(`[g.row('R', [g.stat(` + stat + ` + { title: 'T%d' % i }) for i in std.range(1, 26)], collapsed=true)]`), ""},
		"two panels of a title": {board(`[g.row('R', [g.stat(` + stat + `), g.stat(` + stat + `)])]`), "x has two panels of one title: T"},
		"an open row repeated":  {board(`[g.row('R', [g.stat(` + stat + `)], repeat='queue')]`), "x repeats an open row"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evaluate(`local g = (import '../lib/g.libsonnet')((import '../config.libsonnet')._config); ` + c.snippet)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("does not render: %v", err)
			case c.want != "" && err == nil:
				t.Error("renders")
			case c.want != "" && !strings.Contains(err.Error(), c.want):
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func board(rows string) string {
	return `g.dashboard({ uid: 'x', title: 'X', desc: 'x', rows: ` + rows + ` })`
}

// TestPanelsDoNotOverlap also holds other scopes than the default ones.
func TestPanelsDoNotOverlap(t *testing.T) {
	type panel struct {
		ID      int
		Title   string
		GridPos struct{ X, Y, W, H int }
	}
	var boards map[string]struct {
		Panels []struct {
			panel
			Panels []panel
		}
		Templating struct{ List []struct{ Name string } }
	}
	render(t, `((import '../config.libsonnet') + (import '../dashboards/dashboards.libsonnet') + { _config+:: { scopeLabels: ['cluster', 'environment'] } }).grafanaDashboards`, &boards)
	if len(boards) != 8 {
		t.Errorf("%d dashboards, want 8", len(boards))
	}
	for file, b := range boards {
		seen := map[string]string{}
		ids := map[int]string{}
		place := func(p panel, space string) {
			if other, twice := ids[p.ID]; twice {
				t.Errorf("%s: %q and %q have one id", file, other, p.Title)
			}
			ids[p.ID] = p.Title
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					cell := fmt.Sprint(space, x, ",", y)
					if other, taken := seen[cell]; taken || x > 23 {
						t.Fatalf("%s: %q lies on %q or beyond the edge", file, p.Title, other)
					}
					seen[cell] = p.Title
				}
			}
		}
		for _, p := range b.Panels {
			place(p.panel, "open ")
			for _, inside := range p.Panels {
				place(inside, fmt.Sprint("row ", p.ID, " "))
			}
		}
		if list := b.Templating.List; len(list) < 3 || list[0].Name != "datasource" || list[1].Name != "cluster" || list[2].Name != "environment" {
			t.Errorf("%s: variables %v do not begin with the data source and the scope", file, list)
		}
	}
}
