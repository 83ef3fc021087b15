package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// configureMan declares `man`, and makes the help of all commands declared
// before and after it fit.
func configureMan(app *kingpin.Application, e *env) {
	cmd := app.Command("man", "Print the manual page.")
	e.commands[cmd.FullCommand()] = func(context.Context) error {
		_, err := io.WriteString(e.stdout, manual(app.Model()))
		return err
	}
	addHelp(app)
}

// manual writes the manual page in the macros of man(7).
func manual(app *kingpin.ApplicationModel) string {
	b := &strings.Builder{}
	b.WriteString(".TH QFTOOL 1 \"\" Queuefleet \"Queuefleet\"\n.SH NAME\nqftool \\- operate a fleet of Redis servers and work queues\n")
	b.WriteString(".SH SYNOPSIS\n.B qftool\n[\\fIflags\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n")
	b.WriteString(".SH DESCRIPTION\n" + roff("The operator's command line of Queuefleet. It works on the same configuration file as the exporter and the supervisor, and needs neither of them, except where it steers a running one.") + "\n")
	b.WriteString(".SH OPTIONS\n")
	manFlags(b, app.Flags)
	b.WriteString(".SH COMMANDS\n")
	for _, cmd := range app.FlattenedCommands() {
		if !cmd.Hidden && len(cmd.Commands) == 0 && cmd.Name != "help" {
			manCommand(b, cmd)
		}
	}
	b.WriteString(".SH EXIT STATUS\n.TP\n0\nFine.\n.TP\n1\nA mistake was found, a test failed, something went wrong.\n.TP\n2\nThe command line is wrong.\n")
	b.WriteString(".SH SECURITY\n" + roff("Passwords appear in no output. They come from files, pipes or a terminal without an echo, never from the command line.") + "\n")
	return b.String()
}

func manCommand(b *strings.Builder, cmd *kingpin.CmdModel) {
	fmt.Fprintf(b, ".SS %s\n.B qftool %[1]s\n", roff(cmd.FullCommand))
	if len(cmd.Flags) > 0 {
		b.WriteString("[\\fIflags\\fR]\n")
	}
	for _, arg := range cmd.Args {
		text := `\fI` + roff(arg.Name) + `\fR`
		if many, ok := arg.Value.(interface{ IsCumulative() bool }); ok && many.IsCumulative() {
			text += "\\&..."
		}
		if !arg.Required {
			text = "[" + text + "]"
		}
		b.WriteString(text + "\n")
	}
	b.WriteString(".PP\n" + roff(cmd.Help) + "\n")
	if cmd.HelpLong != "" {
		b.WriteString(".PP\n.nf\n" + roff(strings.TrimSpace(cmd.HelpLong)) + "\n.fi\n")
	}
	for _, arg := range cmd.Args {
		fmt.Fprintf(b, ".TP\n\\fI%s\\fR\n%s\n", roff(arg.Name), roff(arg.Help))
	}
	manFlags(b, cmd.Flags)
	if example := exampleOf(cmd); example != "" {
		fmt.Fprintf(b, ".PP\nExample:\n.PP\n.nf\n.RS\n%s\n.RE\n.fi\n", roff(example))
	}
}

func manFlags(b *strings.Builder, flags []*kingpin.FlagModel) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		name := `\fB` + roff("--"+f.Name) + `\fR`
		if f.Short != 0 {
			name = `\fB` + roff("-"+string(f.Short)) + `\fR, ` + name
		}
		if !f.IsBoolFlag() {
			name += `=\fI` + roff(cmp.Or(strings.Trim(f.FormatPlaceHolder(), `"`), "VALUE")) + `\fR`
		}
		fmt.Fprintf(b, ".TP\n%s\n%s\n", name, roff(f.Help))
	}
}

// roff writes text so that none of it is taken for a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\[u2026]`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
		if line == "" {
			lines[i] = ".sp"
		}
	}
	return strings.Join(lines, "\n")
}
