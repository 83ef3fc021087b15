package demo

import (
	_ "embed"
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
}

// writeConfig writes the configuration and the file with the password into dir.
func writeConfig(dir string, data configData, password string) (string, error) {
	if password != "" {
		data.PasswordFile = filepath.Join(dir, passwordName)
		if err := os.WriteFile(data.PasswordFile, []byte(password+"\n"), 0o600); err != nil {
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
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the demo's configuration: %w", err)
	}
	return file, nil
}

// quote writes a YAML text in single quotes, in which nothing but the quote is special.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
