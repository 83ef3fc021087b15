package collector

import (
	"bytes"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// checkExposition fails where Prometheus' own parser refuses the page.
func checkExposition(t *testing.T, page []byte) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(bytes.NewReader(page)); err != nil {
		t.Errorf("%v in\n%s", err, page)
	}
}
