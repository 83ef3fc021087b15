package main

import (
	"context"
	"embed"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

//go:embed completion
var completionScripts embed.FS

// completion is `qftool completion` and what its scripts call.
type completion struct {
	env   *env
	app   *kingpin.Application
	shell string
	words []string
}

// configureCompletion declares `completion` and the hidden command that the
// scripts ask.
func configureCompletion(app *kingpin.Application, e *env) {
	c := &completion{env: e, app: app}
	cmd := app.Command("completion", "Print what makes a shell complete commands, flags and names in the configuration. Example: source <(qftool completion bash)")
	cmd.Arg("shell", "bash, zsh or fish.").Required().EnumVar(&c.shell, shells()...)
	e.commands[cmd.FullCommand()] = c.script
	ask := app.Command("__complete", "Print what can stand at the end of a command line, one a line.").Hidden()
	ask.Arg("shell", "The shell that asks.").Required().EnumVar(&c.shell, shells()...)
	ask.Arg("word", "The words before and at the cursor; from bash the whole line.").StringsVar(&c.words)
	e.commands[ask.FullCommand()] = c.answer
}

func shells() []string { return []string{"bash", "zsh", "fish"} }

func (c *completion) script(context.Context) error {
	text, err := completionScripts.ReadFile("completion/qftool." + c.shell)
	if err != nil {
		return err
	}
	_, err = c.env.stdout.Write(text)
	return err
}

// answer prints the candidates for the last word.
func (c *completion) answer(context.Context) error {
	words := c.words
	if c.shell == "bash" {
		words = splitLine(strings.Join(c.words, " "))
	}
	if len(words) < 2 {
		return nil
	}
	last := words[len(words)-1]
	for _, found := range newCompleter(c.app).complete(words[1:]) {
		value := found.value
		if value != printable(value) {
			continue // no shell would take it as it is
		}
		if c.shell == "bash" {
			// bash looks only at what stands behind the last of these.
			if cut := strings.LastIndexAny(last, "=:"); cut >= 0 && strings.HasPrefix(value, last[:cut+1]) {
				value = value[cut+1:]
			}
			value = quoteForBash(value)
		}
		if found.help != "" {
			value += "\t" + printable(found.help)
		}
		fmt.Fprintln(c.env.stdout, value)
	}
	return nil
}

// splitLine splits the beginning of a command line into words as a shell would.
// The last word is the one at the cursor, which may be empty or still quoted.
func splitLine(line string) []string {
	words, word, started, quote := []string{}, strings.Builder{}, false, rune(0)
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, started = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, started = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if started {
				words = append(words, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	return append(words, word.String())
}

// quoteForBash escapes what bash would take for more than a letter.
func quoteForBash(word string) string {
	var b strings.Builder
	for _, r := range word {
		if strings.ContainsRune(" \t'\"\\$`&|;<>()*?[]{}!#", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
