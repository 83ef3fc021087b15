package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	fill := func() *table {
		tab := &table{header: []string{"NAME", "JOBS", "STATE"}}
		tab.add(text("é"), number("%d", 12345), styled(red, "down"))
		tab.add(text("long name"), number("%d", 7), text(""))
		return tab
	}
	var b strings.Builder
	fill().write(&b, &env{})
	if want := "NAME        JOBS  STATE\né          12345  down\nlong name      7\n"; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	b.Reset()
	fill().write(&b, &env{color: true})
	if got := b.String(); !strings.Contains(got, "\x1b[31mdown\x1b[0m") || !strings.Contains(got, "é          12345  ") {
		t.Errorf("with colours the columns move: %q", got)
	}
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[2Jb\r\nc\u009b é 日"); got != "a?[2Jb??c? é 日" {
		t.Errorf("got %q", got)
	}
}
