package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"time"
)

// sample is one value of a series.
type sample struct {
	at    time.Time
	value float64
}

// request is a remote write under way: protobuf, as Prometheus' WriteRequest.
type request struct{ series []byte }

// field appends a length-delimited field.
func field(to []byte, number int, value []byte) []byte {
	to = binary.AppendUvarint(to, uint64(number)<<3|2)
	to = binary.AppendUvarint(to, uint64(len(value)))
	return append(to, value...)
}

// add appends a series; labels are pairs, sorted by name.
func (r *request) add(labels [][2]string, samples []sample) {
	var series []byte
	for _, l := range labels {
		var label []byte
		label = field(label, 1, []byte(l[0]))
		label = field(label, 2, []byte(l[1]))
		series = field(series, 1, label)
	}
	for _, s := range samples {
		one := binary.AppendUvarint(nil, 1<<3|1)
		one = binary.LittleEndian.AppendUint64(one, math.Float64bits(s.value))
		one = binary.AppendUvarint(one, 2<<3)
		one = binary.AppendUvarint(one, uint64(s.at.UnixMilli())) //nolint:gosec // after 1970
		series = field(series, 2, one)
	}
	r.series = field(r.series, 1, series)
}

// send posts what was added.
func (r *request) send(ctx context.Context, base string) error {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/write", bytes.NewReader(snappy(r.series)))
	if err != nil {
		return err
	}
	post.Header.Set("Content-Encoding", "snappy")
	post.Header.Set("Content-Type", "application/x-protobuf")
	post.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	answer, err := http.DefaultClient.Do(post)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return fmt.Errorf("remote write: %s: %s", answer.Status, text)
	}
	r.series = r.series[:0]
	return nil
}

// snappy is a block that compresses nothing: literals of 64 KiB at most.
func snappy(data []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(len(data)))
	for chunk := range slices.Chunk(data, 1<<16) {
		out = append(out, 61<<2, byte(len(chunk)-1), byte((len(chunk)-1)>>8)) //nolint:gosec // the two bytes are meant
		out = append(out, chunk...)
	}
	return out
}
