package supervisor

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/queuefleet/queuefleet/internal/horizontest"
	"github.com/queuefleet/queuefleet/internal/proc"
)

func TestMain(m *testing.M) {
	proc.RunStub()
	horizontest.Main()
	if os.Getenv(modeVariable) != "" {
		playPart(os.Getenv(modeVariable))
		return
	}
	goleak.VerifyTestMain(m)
}
