package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/configs"
)

// Two passwords never share a variable, which would be one of them for both.
func TestPasswordsDoNotShareAVariable(t *testing.T) {
	place := func(passwords ...string) error {
		f := &importFlags{out: filepath.Join(t.TempDir(), "none.yml"), secrets: secretsEnv}
		e := &configs.Entries{Connections: []configs.Connection{configs.NewConnection("eu-1"), configs.NewConnection("eu.1")}}
		var found []importedPassword
		for i, password := range passwords {
			found = append(found, importedPassword{Connection: e.Connections[i].Name, Value: configs.NewSecret(password)})
		}
		_, err := f.placePasswords(e, found)
		return err
	}
	if err := place("hunter2", "hunter2"); err != nil {
		t.Error(err)
	}
	err := place("hunter2-a", "hunter2-b")
	if err == nil || !strings.Contains(err.Error(), "connections eu-1 and eu.1 have different passwords, and QF_EU_1_PASSWORD is the place for both") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	taken := takenVariables(&configs.Entries{Connections: []configs.Connection{configs.NewConnection("a")}}, &configs.Config{Connections: []configs.Connection{
		{Name: "a", PasswordEnv: "A", Password: configs.NewSecret("1")}, {Name: "b", PasswordEnv: "B", Password: configs.NewSecret("2")},
	}})
	if _, own := taken["A"]; own || taken["B"].of != "b" {
		t.Errorf("taken are %v", taken)
	}
}
