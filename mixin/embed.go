// Package mixin carries the mixin's sources, so that a program can render it
// where there is neither jsonnet nor this repository.
package mixin

import (
	"embed"
	"io/fs"
)

//go:embed *.libsonnet lib/*.libsonnet rules/*.libsonnet alerts/*.libsonnet dashboards/*.libsonnet alertmanager/*.libsonnet alertmanager/*.tmpl
var sources embed.FS

// Sources returns the files that mixin.libsonnet and those in lib need.
func Sources() fs.FS { return sources }
