package laravel

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuefleet/queuefleet/internal/laraveltest"
	"github.com/queuefleet/queuefleet/internal/redistest"
)

const packageDir = "../../../php"

// The Composer package passes its own tests, with the framework that is
// installed here.
func TestPackage(t *testing.T) {
	laraveltest.New(t, "127.0.0.1:1") // skips where there is no Laravel
	cmd := exec.Command("php", "tests/run.php")
	cmd.Dir = packageDir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// newerScript names what PHP 7.3 does not understand.
const newerScript = `
$newer = array_filter(['T_FN', 'T_MATCH', 'T_ATTRIBUTE', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_COALESCE_EQUAL', 'T_ENUM', 'T_READONLY'], 'defined');
$newer = array_map('constant', array_combine($newer, $newer));
foreach (array_slice($argv, 1) as $file) {
	$before = [null, ''];
	foreach (PhpToken::tokenize(file_get_contents($file), TOKEN_PARSE) as $token) {
		if ($token->isIgnorable()) continue;
		if (in_array($token->id, $newer, true)) echo "$file:$token->line: $token->text\n";
		// a visibility is followed by function, const, static or a variable: else by a type
		if (in_array($before[0], [T_PRIVATE, T_PROTECTED, T_PUBLIC], true) && ! in_array($token->id, [T_FUNCTION, T_CONST, T_STATIC, T_VARIABLE], true)) echo "$file:$token->line: a typed property\n";
		$before = [$token->id, $token->text];
	}
}`

// The package is written for PHP 7.3, which Laravel 8 still takes.
func TestPackageSyntax(t *testing.T) {
	redistest.Need(t, "php")
	files, err := filepath.Glob(packageDir + "/*/*.php")
	if err != nil || len(files) < 6 {
		t.Fatalf("the package has %d files (%v)", len(files), err)
	}
	for _, file := range files {
		if out, err := exec.Command("php", "-l", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	out, err := exec.Command("php", append([]string{"-r", newerScript, "--"}, files...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// usePackage makes an application load the package as Composer would.
func usePackage(t *testing.T, app *laraveltest.App) {
	t.Helper()
	dir, err := filepath.Abs(packageDir)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(app.Dir, "artisan"), "spl_autoload_register(", "foreach (glob('"+dir+"/src/*.php') as $file) { require_once $file; }\nspl_autoload_register(")
	edit(t, filepath.Join(app.Dir, "config/app.php"), "'providers' => array_map(fn (string $name) => 'Illuminate\\\\'.$name, $services)",
		"'providers' => array_merge(array_map(fn (string $name) => 'Illuminate\\\\'.$name, $services), ['Queuefleet\\Laravel\\QueuefleetServiceProvider'])")
}

func edit(t *testing.T, path, old, now string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, now, 1)
	if changed == string(text) {
		t.Fatalf("%s does not hold %q", path, old)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// applicationByPackage works jobs in an application whose own configuration is
// cached and knows none of the servers.
func applicationByPackage(t *testing.T, p *Plan, s servers) {
	app := laraveltest.New(t, "127.0.0.1:1")
	usePackage(t, app)
	generate(t, p, app, FormatJSON)
	secrets, err := os.ReadFile(filepath.Join(app.Dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(app.Dir, "config/queuefleet", JSONFile)
	if err := os.WriteFile(filepath.Join(app.Dir, ".env"), append(secrets, "QUEUEFLEET_CONFIG="+path+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	bootstrap := "<?php\n$app = new Illuminate\\Foundation\\Application(dirname(__DIR__));\n" +
		"$app->singleton(Illuminate\\Contracts\\Console\\Kernel::class, App\\Console::class);\n" +
		"$app->singleton(Illuminate\\Contracts\\Debug\\ExceptionHandler::class, Illuminate\\Foundation\\Exceptions\\Handler::class);\nreturn $app;\n"
	if err := os.WriteFile(filepath.Join(app.Dir, "bootstrap/app.php"), []byte(bootstrap), 0o600); err != nil {
		t.Fatal(err)
	}
	app.Artisan("config:cache") // makes a second application by that file
	cached, err := os.ReadFile(filepath.Join(app.Dir, "bootstrap/cache/config.php"))
	if err != nil || strings.Contains(string(cached), "hunter2") || !strings.Contains(string(cached), "127.0.0.1") {
		t.Errorf("the cached configuration is not the application's own (%v):\n%s", err, cached)
	}
	work(t, app, s)
}
