package laravel

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/internal/generate/php"
	"github.com/queuefleet/queuefleet/internal/laraveltest"
)

// The password is what Laravel's own env() makes of the variable.
func TestVariableText(t *testing.T) {
	laraveltest.New(t, "127.0.0.1:1") // skips where there is no Laravel
	const script = `<?php
require '/usr/share/php/Illuminate/autoload.php';
$all = [];
foreach (json_decode($argv[1]) as $i => $text) { $_SERVER["QF_$i"] = $text; $all[] = env("QF_$i"); }
fwrite(STDOUT, "\nqueuefleet-result ".json_encode($all)."\n");
`
	want := []any{"null", "TRUE", "(empty)", `""`, `''`, `"a"`, `'a'`, `'a"`, `"`, `a"b`, "false ", password}
	var texts []string
	for _, p := range want {
		texts = append(texts, variableText(configs.NewSecret(p.(string))).Reveal())
	}
	argument, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	if err := interpreter(t).Ask(t.Context(), php.Call{Dir: "/"}, script, []string{string(argument)}, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// phpdotenv is what Laravel reads its .env with.
const dotenvScript = `<?php
require '/usr/share/php/Dotenv/autoload.php';
$values = Dotenv\Dotenv::parse(file_get_contents($argv[1]));
fwrite(STDOUT, "\nqueuefleet-result ".json_encode(array_map('bin2hex', $values))."\n");
`

// Every password that can be written is read back by Laravel's own reader.
func TestDotenv(t *testing.T) {
	i := interpreter(t)
	if _, err := os.Stat("/usr/share/php/Dotenv/autoload.php"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("php-vlucas-phpdotenv is not installed")
		}
		t.Skip("php-vlucas-phpdotenv is not installed")
	}
	values := []string{`="`, `x="y`, `a="b"c`, `\`, `\\`, `"`, `'`, `'"`, `\"'`, `${QF_0}`, `$QF_0`, "`id`'", `'\n`, `#'"`, ` ' `, "'\x01\t\x7f\"", "ü'€\"𝄞", `'="`, `"="`, `'"\`, ` x `}
	for b := range 256 {
		values = append(values, "p"+string(rune(b))+"'w", string(rune(b)), string(rune(b))+`"`)
	}
	var file strings.Builder
	want := map[string]string{}
	for n, v := range values {
		quoted, err := DotenvQuote(v)
		if strings.ContainsAny(v, "\n\r\x00") {
			if err == nil {
				t.Errorf("%q is not refused", v)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", v, err)
		}
		name := fmt.Sprintf("QF_%d", n)
		fmt.Fprintf(&file, "%s=%s\n", name, quoted)
		want[name] = fmt.Sprintf("%x", v)
	}
	if _, err := DotenvQuote("\xff"); err == nil {
		t.Error("bytes that are no UTF-8 are not refused")
	}
	path := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := i.Ask(t.Context(), php.Call{Dir: t.TempDir()}, dotenvScript, []string{path}, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
