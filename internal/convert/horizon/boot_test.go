package horizon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/internal/generate/php"
)

// Where the application has its own Laravel, that loads the configuration.
func TestBoot(t *testing.T) {
	const framework = "/usr/share/php/Illuminate/autoload.php"
	if !exists(framework) {
		if os.Getenv("CI") != "" {
			t.Fatal("php-laravel-framework is not installed")
		}
		t.Skip("php-laravel-framework is not installed")
	}
	files := with(map[string]string{
		"vendor/autoload.php": "<?php require '" + framework + "';",
		"bootstrap/app.php":   "<?php return new Illuminate\\Foundation\\Application(dirname(__DIR__));",
		"config/app.php":      "['name' => collect([env('APP_NAME')])->first(), 'env' => env('APP_ENV')]",
		"other.env":           "APP_NAME=\"My Shop\"\nAPP_ENV=local\nREDIS_PORT=7000\n",
	})
	s := application(t, files)
	found := convert(t, s, Options{})
	if found.Slug != "my-shop" || found.Environment != "production" || found.Connections[0].Address != "127.0.0.1:6380" {
		t.Errorf("slug %s, environment %s, connections %+v", found.Slug, found.Environment, found.Connections)
	}
	if len(found.Passwords) != 4 || found.Passwords[1].Variable != "REDIS_PASSWORD" {
		t.Errorf("passwords %+v", found.Passwords)
	}
	s.EnvFile = filepath.Join(filepath.Dir(s.ConfigDir), "other.env")
	found = convert(t, s, Options{})
	if found.Environment != "local" || found.Connections[0].Address != "127.0.0.1:7000" || len(found.Queues) != 1 || found.Queues[0].MaxProcesses != 3 {
		t.Errorf("by another file of variables: environment %s, connections %+v, queues %+v", found.Environment, found.Connections, found.Queues)
	}
	files["bootstrap/app.php"] = "<?php throw new Exception('hunter2');"
	files["config/app.php"] = shop["config/app.php"]
	found = convert(t, application(t, files), Options{})
	if len(found.Queues) != 2 || !strings.HasPrefix(found.Warnings[0], "the application does not boot (Exception at app.php:1)") {
		t.Errorf("an application that does not boot: %q", found.Warnings)
	}
}

// Variables mean the same as to Laravel's own reader.
func TestDotenv(t *testing.T) {
	const reader = "/usr/share/php/Dotenv/autoload.php"
	if !exists(reader) {
		t.Skip("php-vlucas-phpdotenv is not installed")
	}
	text := "A=1\nB = two words \r\nexport CCC='#x\\n$A ${A}' # c\nD=\"a\\\"b\\\\\\$ \\n #${A}\"\nE=\nF=x#y\n\n# G=1\nH=\"two\nlines\"\nI=${A}x\nJ=\"\"\nK=a=b\nL='a\\'\nM=x # y\n.N\n"
	text = strings.Replace(strings.Replace(text, ".N\n", "N=end", 1), "two words ", "two", 1)
	s := application(t, with(map[string]string{".env": text + "\nAPP_NAME=shop\nAPP_ENV=production"}))
	i := interpreter(t)
	list, err := Evaluate(t.Context(), i, s)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	theirs := "<?php\nrequire '" + reader + "';\nfwrite(STDOUT, \"\\nqueuefleet-result \".json_encode(Dotenv\\Dotenv::parse(file_get_contents($argv[1]))).\"\\n\");"
	if err := i.Ask(t.Context(), php.Call{Dir: "/"}, theirs, []string{filepath.Join(filepath.Dir(s.ConfigDir), ".env")}, &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, list[0].Variables); d != "" || len(want) < 12 {
		t.Error(d, want)
	}
}
