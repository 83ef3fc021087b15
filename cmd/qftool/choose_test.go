package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChoose(t *testing.T) {
	known := []string{"shop-eu", "shop-us", "shop-old", "crm"}
	eligible := func(name string) bool { return name != "shop-old" }
	for _, test := range []struct {
		name    string
		wanted  []string
		want    []string
		wantErr string
	}{
		{"a name", []string{"crm"}, []string{"crm"}, ""},
		{"in their own order, once", []string{"crm", "shop-us", "shop-*"}, []string{"shop-eu", "shop-us", "crm"}, ""},
		{"a name may be what globs leave out", []string{"shop-old"}, []string{"shop-old"}, ""},
		{"a slip", []string{"shop-ue"}, nil, `no connection is named "shop-ue"; did you mean "shop-eu"?`},
		{"nothing like it", []string{"warehouse"}, nil, `no connection is named "warehouse"`},
		{"a glob for nothing", []string{"x*"}, nil, `no active connection matches "x*"`},
		{"a glob for what is left out", []string{"*old"}, nil, `no active connection matches "*old"`},
		{"no glob", []string{"[a"}, nil, `"[a" is not a pattern`},
		{"all mistakes", []string{"crn", "y*", "crm"}, nil, "did you mean \"crm\"?\nno active connection matches \"y*\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := choose("connection", known, test.wanted, eligible)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (test.wantErr == "") || err != nil && !strings.Contains(err.Error(), test.wantErr) {
				t.Errorf("error %v, want %q", err, test.wantErr)
			}
		})
	}
}
