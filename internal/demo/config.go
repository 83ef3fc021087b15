package demo

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed queuefleet.yml.tmpl
var configTemplate string

const (
	configName   = "queuefleet.yml"
	passwordName = "us.password"
)

// configData is what the template is filled with.
type configData struct {
	EU, US, Cache, Down string // addresses
	PasswordFile        string // empty where there is no password
	ShopCachePrefix     string
	HorizonPrefix       string
	ImportsRetryAfter   time.Duration
	ExpireAt            string

	Worker                []string // command of the supervisor's workers; empty: there are none
	User                  string
	ShopPrefix, CRMPrefix string
	Speed                 float64
}

// writeConfig writes the configuration and the file with the password into dir.
func writeConfig(dir string, data configData, password string) (string, error) {
	if password != "" {
		data.PasswordFile = filepath.Join(dir, passwordName)
		if err := writeNew(data.PasswordFile, password+"\n"); err != nil {
			return "", err
		}
	}
	t, err := template.New(configName).Funcs(template.FuncMap{"quote": quote}).Parse(configTemplate)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	if err := t.Execute(&text, data); err != nil {
		return "", err
	}
	file := filepath.Join(dir, configName)
	return file, writeNew(file, text.String())
}

// writeNew writes a file that must not exist yet: it may be somebody's own.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists and is not overwritten", file)
	}
	if err != nil {
		return fmt.Errorf("write the demo's configuration: %w", err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// quote writes a YAML text in single quotes, in which nothing but the quote is special.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
