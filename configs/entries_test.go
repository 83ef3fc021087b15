package configs

import (
	"testing"
)

func TestEntriesRoundTripExamples(t *testing.T) {
	for _, file := range []string{"examples/minimal.yml", "examples/laravel.yml", "examples/reference.yml", "testdata/everything.good.yml"} {
		cfg, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		e := Entries{Connections: cfg.Connections, Applications: cfg.Applications, Queues: cfg.Queues, PlainSecrets: true}
		text, err := e.YAML()
		if err != nil {
			t.Fatal(err)
		}
		t.Log(string(text))
	}
}
