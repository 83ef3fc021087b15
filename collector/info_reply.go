package collector

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// allFamilies is every family of the fleet page, indexed by familyID: the
// core's, INFO's, and those of the sections in the order of sections.
var allFamilies = slices.Concat(coreFamilies[:], infoFamilies(),
	slowlogFamilies[:], tableFamilies(clusterTable[:]), commandstatsFamilies[:], latencyFamilies[:])

var (
	errReplyForm = errors.New("the reply does not have the documented form")
	errTooMany   = errors.New("more series than the limit: the rest was left out")
)

// refusedForGood reports whether the server will answer the same the next time
// too: it does not know the command or does not allow it. LOADING and BUSY pass.
func refusedForGood(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return false
	}
	text := reply.Error()
	return strings.HasPrefix(text, "NOPERM") || strings.HasPrefix(strings.ToLower(text), "err unknown")
}

// during says which command an error belongs to.
func during(command string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", command, err)
}

// infoFieldsOf yields the names and values of a text in INFO's format: a
// `name:value` a line, CRLF or LF. A last line without an end is taken for cut
// off, since half a number is a wrong number.
func infoFieldsOf(text string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		for {
			end := strings.IndexByte(text, '\n')
			if end < 0 {
				return
			}
			line := text[:end]
			text = text[end+1:]
			if end > 0 && line[end-1] == '\r' {
				line = line[:end-1]
			}
			if colon := strings.IndexByte(line, ':'); colon > 0 && !yield(line[:colon], line[colon+1:]) {
				return
			}
		}
	}
}

// pairs yields the keys and values of `a=1,b=2`.
func pairs(text string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for text != "" {
			part, rest, _ := strings.Cut(text, ",")
			text = rest
			if key, value, ok := strings.Cut(part, "="); ok && !yield(key, value) {
				return
			}
		}
	}
}
