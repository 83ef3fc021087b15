package horizon

import (
	"os"
	"testing"

	"github.com/queuefleet/queuefleet/internal/horizontest"
)

func TestMain(m *testing.M) {
	horizontest.Main()
	os.Exit(m.Run())
}
