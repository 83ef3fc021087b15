package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
)

// examples show how each command is used. A command that has a long help text
// of its own, with an example in it, has none here.
var examples = map[string]string{
	"check config":          "qftool check config --strict conf/*.yml",
	"check web-config":      "qftool check web-config web.yml",
	"connections list":      "qftool -o json connections list 'shop-*'",
	"connections test":      "qftool connections test --timeout=2s shop-eu",
	"connections add":       "qftool connections add shop-eu --address=redis-1.eu:6379 --password-stdin tls.ca_file=ca.pem < password",
	"connections set":       "qftool connections set shop-eu --address=redis-2.eu:6379 options.pool_size=4 --unset region",
	"connections remove":    "qftool connections remove shop-eu --cascade --dry-run",
	"connections restore":   "qftool connections restore shop-eu --cascade",
	"connections purge":     "qftool connections purge shop-eu --cascade",
	"connections enable":    "qftool connections enable shop-eu --reload=http://127.0.0.1:10379",
	"connections disable":   "qftool connections disable shop-eu --reload=/run/queuefleet/supervisor.sock",
	"applications list":     "qftool applications list 'shop*'",
	"applications add":      "qftool applications add shop --name='Web shop' --team=payments",
	"applications set":      "qftool applications set shop cache.connection=shop-eu cache.prefix=laravel_cache:",
	"applications remove":   "qftool applications remove shop --cascade",
	"applications restore":  "qftool applications restore shop --cascade",
	"applications purge":    "qftool applications purge shop --cascade",
	"applications enable":   "qftool applications enable shop",
	"applications disable":  "qftool applications disable shop",
	"applications attach":   "qftool applications attach shop shop-eu --primary --priority=10",
	"applications detach":   "qftool applications detach shop shop-us",
	"queues add":            "qftool queues add shop-default --application=shop --connection=shop-eu --queue=high --queue=default worker.user=www-data",
	"queues set":            "qftool queues set shop-default --max-wait=30s max_processes=20 worker.environment.APP_ENV=production",
	"queues remove":         "qftool queues remove shop-default",
	"queues restore":        "qftool queues restore shop-default",
	"queues purge":          "qftool queues purge shop-default",
	"queues enable":         "qftool queues enable shop-default",
	"queues disable":        "qftool queues disable shop-default",
	"config export":         "qftool config export --application=shop --secrets=age -r age1wk8v9u0er… --out=shop.yml",
	"config import":         "qftool config import shop.yml --dry-run",
	"config diff":           "qftool config diff queuefleet.yml /backup/queuefleet.yml",
	"config show":           "qftool config show --effective shop-eu",
	"queues list":           "qftool queues list --application=shop",
	"pools list":            "qftool pools list --application=shop",
	"pools why":             "qftool pools why shop-eu",
	"pools pause":           "qftool pools pause --wait --application=shop",
	"pools continue":        "qftool pools continue --application=shop",
	"pools restart":         "qftool pools restart --wait shop-eu",
	"pools scale":           "qftool pools scale --processes=20 --for=1h shop-eu",
	"workers list":          "qftool workers list --state=running shop-eu",
	"failed list":           "qftool failed list --application=shop --limit=20",
	"failed retry":          "qftool failed retry --application=shop --all",
	"failed forget":         "qftool failed forget --application=shop 6f9b1c0e-9d59-4b3a-8a33-0d6a4b9b7c11",
	"encrypt":               "qftool encrypt --yaml -r age1wk8v9u0er… < password",
	"generate systemd":      "qftool --config.file=/etc/queuefleet/queuefleet.yml generate systemd --out=/etc/systemd/system",
	"generate prometheus":   "qftool generate prometheus --exporter=exporter.example:10379 --out=/etc/prometheus",
	"generate alertmanager": "qftool generate alertmanager --out=/etc/alertmanager",
	"import redis-exporter": "qftool import redis-exporter --prometheus=/etc/prometheus/prometheus.yml --password-file=passwords.json",
	"import supervisord":    "qftool import supervisord --connection=shop-eu /etc/supervisor/supervisord.conf",
	"mixin config":          "qftool mixin config > mixin.yml",
	"mixin render":          "qftool mixin render --out=/etc/queuefleet/mixin",
	"completion":            "source <(qftool completion bash)",
	"man":                   "qftool man > /usr/local/share/man/man1/qftool.1",
	"demo":                  "qftool demo --speed=5",
}

// usage is what --help prints: without a command one line for each group, so
// that it fits a screen; with one all about it, and an example.
const usage = `{{define "command"}}{{.FullCommand}}{{if .FlagSummary}} {{.FlagSummary}}{{end}}{{range .Args}} {{if not .Required}}[{{end}}<{{.Name}}>{{if .Value|IsCumulative}}...{{end}}{{if not .Required}}]{{end}}{{end}}{{if .Commands}} <command>{{end}}{{end -}}
{{if .Context.SelectedCommand -}}
usage: {{.App.Name}} {{template "command" .Context.SelectedCommand}}

{{.Context.SelectedCommand|Description|Wrap 0}}
{{- with .Context.SelectedCommand|Example}}
Example:
  {{.}}
{{end}}
{{- if .Context.SelectedCommand.Commands}}
Commands:
{{range .Context.SelectedCommand.FlattenedCommands}}{{if not .Hidden}}  {{template "command" .}}
{{.Help|Wrap 4}}{{end}}{{end}}
{{- else}}
Flags:
{{.Context.Flags|FlagsToTwoColumns|FormatTwoColumns}}
{{- if .Context.Args}}
Args:
{{.Context.Args|ArgsToTwoColumns|FormatTwoColumns}}
{{- end}}
{{- end}}
{{- else -}}
usage: {{.App.Name}} [<flags>] <command> [<args>]

{{range .App.Commands}}{{if not (or .Hidden (eq .Name "help"))}}{{.|Row}}
{{end}}{{end}}
{{range .App.Flags}}{{if not .Hidden}}{{.|FlagRow}}
{{end}}{{end -}}
{{.App.Name}} help COMMAND tells more, with an example.
{{end -}}
`

// addHelp makes help fit.
func addHelp(app *kingpin.Application) {
	app.UsageTemplate(usage)
	app.UsageFuncs(template.FuncMap{"Row": helpRow, "FlagRow": flagRow, "Example": exampleOf, "Description": description})
}

// exampleOf is the example of a command that does not bring one itself.
func exampleOf(cmd *kingpin.CmdModel) string { return examples[cmd.FullCommand] }

// description is the help text of a command, and its long one.
func description(cmd *kingpin.CmdModel) string {
	return strings.TrimSpace(cmd.Help + "\n\n" + cmd.HelpLong)
}

// helpRow is one line for a group of commands.
func helpRow(cmd *kingpin.CmdModel) string {
	var names []string
	for _, sub := range cmd.Commands {
		if !sub.Hidden {
			names = append(names, sub.Name)
		}
	}
	slices.Sort(names)
	text := firstSentence(cmd.Help)
	if len(names) > 0 {
		text = strings.Join(names, ", ")
	}
	return shortenTo(fmt.Sprintf("  %-13s %s", cmd.Name, text), 79)
}

// flagRow is one line for a flag.
func flagRow(f *kingpin.FlagModel) string {
	name := "--" + f.Name
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", " + name
	}
	if f.IsBoolFlag() && f.Name != "help" && f.Name != "version" {
		name = strings.Replace(name, "--", "--[no-]", 1)
	}
	if !f.IsBoolFlag() {
		name += "=" + cmp.Or(strings.Join(f.Default, ","), f.FormatPlaceHolder())
	}
	return shortenTo(fmt.Sprintf("  %-30s %s", name, firstSentence(f.Help)), 79)
}

func shortenTo(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
