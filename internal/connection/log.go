package connection

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// RedirectGoRedisLog sends what go-redis would print on stderr to logger at
// debug level: what matters of it comes back as an error too. go-redis has one
// logger for the whole process; call this before the first client is used.
func RedirectGoRedisLog(logger *slog.Logger) { redis.SetLogger(printer{logger}) }

type printer struct{ logger *slog.Logger }

// Printf implements go-redis' interface of a logger.
func (p printer) Printf(ctx context.Context, format string, args ...any) {
	if p.logger.Enabled(ctx, slog.LevelDebug) {
		p.logger.DebugContext(ctx, "message of go-redis", "text", fmt.Sprintf(format, args...))
	}
}
