package horizon

import (
	"context"
	_ "embed" // for the script
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/queuefleet/queuefleet/internal/generate/php"
)

//go:embed import.php
var script string

// Source is where an application's configuration is.
type Source struct {
	ConfigDir   string // the application's config directory
	AppDir      string // "" = the directory above it
	EnvFile     string // "" = .env of AppDir, where there is one
	Environment string // of Horizon; "" = what the application says
	NoBoot      bool   // do without the application's own Laravel
}

// job is what the script is told.
type job struct {
	Config      string `json:"config"`
	Base        string `json:"base"`
	EnvFile     string `json:"env_file"`
	Environment string `json:"environment"`
	Boot        bool   `json:"boot"`
}

// Evaluated is what PHP says of an application's configuration.
type Evaluated struct {
	Error        string            `json:"error"`
	Booted       bool              `json:"booted"` // by its own Laravel
	Environment  string            `json:"environment"`
	Environments []string          `json:"environments"` // of Horizon, names and patterns
	Chosen       *string           `json:"chosen"`       // the one that matches; nil = none does
	Has          map[string]bool   `json:"has"`          // files that could be evaluated
	AppName      string            `json:"app_name"`
	Variables    map[string]string `json:"variables"`
	Warnings     []string          `json:"warnings"`
	Sets         *node             `json:"sets"` // supervisors by environment, defaults merged in
	Redis        *node             `json:"redis"`
	Queue        *node             `json:"queue"`
	Horizon      *node             `json:"horizon"`
	Cache        *node             `json:"cache"`

	source Source
}

// Evaluate has one PHP evaluate the configurations of all sources. It runs the
// applications' own code.
func Evaluate(ctx context.Context, p *php.Interpreter, sources ...Source) ([]*Evaluated, error) {
	// As arguments, since the user whom PHP runs as may not read a file of ours.
	// There are no passwords in them.
	var arguments []string
	dir := ""
	for _, s := range sources {
		j, err := s.job()
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(j)
		if err != nil {
			return nil, err
		}
		arguments, dir = append(arguments, string(text)), j.Base
	}
	// No cached configuration: it may be older than the files.
	environment := map[string]string{"APP_CONFIG_CACHE": "/proc/queuefleet-wants-no-cached-configuration/config.php"}
	var list []*Evaluated
	if err := p.Ask(ctx, php.Call{Dir: dir, Env: environment}, script, arguments, &list); err != nil {
		return nil, err
	}
	if len(list) != len(sources) {
		return nil, errors.New("PHP gives no answer")
	}
	for i, e := range list {
		if e.source = sources[i]; e.Error != "" {
			return nil, fmt.Errorf("%s: %s", sources[i].ConfigDir, e.Error)
		}
	}
	return list, nil
}

func (s Source) job() (job, error) {
	config, err := filepath.Abs(s.ConfigDir)
	if err != nil {
		return job{}, err
	}
	if info, err := os.Stat(config); err != nil {
		return job{}, err
	} else if !info.IsDir() {
		return job{}, fmt.Errorf("%s is not a directory: give the application's config directory", s.ConfigDir)
	}
	if _, err := os.Stat(filepath.Join(config, "horizon.php")); err != nil {
		return job{}, fmt.Errorf("%s: there is no horizon.php: give the config directory of an application with Horizon", s.ConfigDir)
	}
	base := filepath.Dir(config)
	if s.AppDir != "" {
		if base, err = filepath.Abs(s.AppDir); err != nil {
			return job{}, err
		}
	}
	env := s.EnvFile
	if env == "" && exists(filepath.Join(base, ".env")) {
		env = filepath.Join(base, ".env")
	}
	if env != "" {
		if env, err = filepath.Abs(env); err != nil {
			return job{}, err
		}
		if _, err := os.Stat(env); err != nil {
			return job{}, err
		}
	}
	boot := !s.NoBoot && exists(filepath.Join(base, "vendor/autoload.php")) && exists(filepath.Join(base, "bootstrap/app.php")) &&
		filepath.Join(base, "config") == config
	return job{Config: config, Base: base, EnvFile: env, Environment: s.Environment, Boot: boot}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
