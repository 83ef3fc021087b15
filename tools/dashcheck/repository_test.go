package main

import "testing"

// The repository itself is without faults.
func TestRepository(t *testing.T) {
	c, err := checkRepository("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range c.faults {
		t.Error(fault)
	}
	if c.expressions < 300 || c.panels < 100 || c.alerts < 50 || len(c.rules) < 50 {
		t.Errorf("looked at %d expressions in %d panels, %d alerts, %d rules: too few to be all", c.expressions, c.panels, c.alerts, len(c.rules))
	}
}
