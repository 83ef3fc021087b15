package configs

import (
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

// WebConfig is what roles need to know of the file of --web.config.file, which
// otherwise is exporter-toolkit's.
type WebConfig struct {
	Users           map[string]string // bcrypt hashes of the basic auth users' passwords
	VerifiesClients bool              // client certificates are verified where one is given
}

// LoadWebConfig reads the file. Its errors repeat nothing of the file, which
// may hold a private key.
func LoadWebConfig(path string) (WebConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return WebConfig{}, fmt.Errorf("read web configuration: %w", err)
	}
	var file struct {
		TLS struct {
			ClientAuth string `yaml:"client_auth_type"`
		} `yaml:"tls_server_config"`
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return WebConfig{}, fmt.Errorf("web configuration %s is not valid", path)
	}
	auth := file.TLS.ClientAuth
	return WebConfig{
		Users:           file.Users,
		VerifiesClients: auth == "VerifyClientCertIfGiven" || auth == "RequireAndVerifyClientCert",
	}, nil
}
