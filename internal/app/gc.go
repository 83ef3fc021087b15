package app

import (
	"os"
	"runtime/debug"

	"github.com/queuefleet/queuefleet/configs"
)

// largeFleet is from how many connections on memory counts more than a little
// CPU.
const largeFleet = 500

// tuneGC sets how far the heap may grow between collections, in percent of what
// is live. A scrape of a large fleet makes garbage of about the size of what
// lives: one collection for each scrape in place of one for two saves a quarter
// of the memory for some 5 % of CPU. A small fleet's heap is so small that this
// would only cost. GOGC in the environment has the last word.
func tuneGC(cfg *configs.Config) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent(cfg))
}

func gcPercent(cfg *configs.Config) int {
	probed := 0
	for i := range cfg.Connections {
		if cfg.Connections[i].Probed() {
			probed++
		}
	}
	if probed >= largeFleet {
		return 50
	}
	return 100
}
