package app

import (
	"github.com/queuefleet/queuefleet/configs"
	"github.com/queuefleet/queuefleet/supervisor"
)

// Flaws returns what would keep the pools of a configuration from starting
// workers, with the place in its file; see supervisor.Inspect. mistakes hold
// everywhere, warnings on this machine and for this user.
func Flaws(cfg *configs.Config, file, name string) (mistakes, warnings []configs.Warning) {
	flaws := supervisor.Inspect(cfg, name)
	if len(flaws) == 0 {
		return nil, nil
	}
	document, err := configs.OpenDocument(file)
	places := map[string]configs.Entry{}
	if err == nil {
		for _, e := range document.Entries(configs.QueueEntry) {
			places[e.Name] = e
		}
	}
	for _, f := range flaws {
		at := configs.Position{File: file, Path: "queues." + f.Queue + "." + f.Key}
		if e, ok := places[f.Queue]; ok {
			at = e.At(f.Key)
		}
		w := configs.Warning{Position: at, Text: "queue " + f.Queue + " gets no workers"}
		if f.Here {
			w.Text += " here"
			w.Text += ": " + f.Text
			warnings = append(warnings, w)
			continue
		}
		w.Text += ": " + f.Text
		mistakes = append(mistakes, w)
	}
	return mistakes, warnings
}
