package horizon

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/queuefleet/queuefleet/configs"
)

// node is a value of PHP. Arrays keep the order of their keys.
type node struct {
	kind  string // null, bool, int, float, string, binary, object or array
	text  string // of scalars
	pairs []pair
}

type pair struct {
	key   string
	value *node
}

// UnmarshalJSON reads [kind, value], where an array's value is a list of
// [key, node].
func (n *node) UnmarshalJSON(text []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	if len(raw) != 2 {
		return errors.New("a value of PHP is garbled")
	}
	if err := json.Unmarshal(raw[0], &n.kind); err != nil {
		return err
	}
	switch n.kind {
	case "array":
		var pairs [][2]json.RawMessage
		if err := json.Unmarshal(raw[1], &pairs); err != nil {
			return err
		}
		for _, one := range pairs {
			p := pair{value: &node{}}
			if err := errors.Join(json.Unmarshal(one[0], &p.key), json.Unmarshal(one[1], p.value)); err != nil {
				return err
			}
			n.pairs = append(n.pairs, p)
		}
	case "bool":
		n.text = string(raw[1])
	case "null", "binary":
	default:
		return json.Unmarshal(raw[1], &n.text)
	}
	return nil
}

// get returns what a path of keys leads to, nil where it leads nowhere.
func (n *node) get(path ...string) *node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		next := (*node)(nil)
		for _, p := range n.pairs {
			if p.key == key {
				next = p.value
			}
		}
		n = next
	}
	return n
}

func (n *node) isArray() bool { return n != nil && n.kind == "array" }

// given reports whether there is a value that is not null.
func (n *node) given() bool { return n != nil && n.kind != "null" }

// isList reports whether the keys are those of a list.
func (n *node) isList() bool {
	if !n.isArray() {
		return false
	}
	for i, p := range n.pairs {
		if p.key != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// str is a scalar as PHP turns it into a string.
func (n *node) str() string {
	switch {
	case n == nil || n.kind == "null" || n.kind == "array" || n.kind == "object" || n.kind == "binary":
		return ""
	case n.kind == "bool" && n.text == "true":
		return "1"
	case n.kind == "bool":
		return ""
	default:
		return n.text
	}
}

// truthy reports whether PHP takes the value for true.
func (n *node) truthy() bool {
	if n.isArray() {
		return len(n.pairs) > 0
	}
	return n.given() && (n.kind == "object" || n.kind == "binary" || n.str() != "" && n.str() != "0")
}

// show is the value for a warning.
func (n *node) show() string {
	switch {
	case n == nil:
		return "null"
	case n.kind == "array":
		return "an array"
	case n.kind == "object":
		return "a " + n.text
	case n.kind == "string":
		return strconv.Quote(n.text)
	case n.kind == "null" || n.kind == "binary":
		return n.kind
	default:
		return n.text
	}
}

// number reads an int, a float or a numeric string.
func (n *node) number() (float64, error) {
	if n == nil || n.kind == "array" || n.kind == "object" {
		return 0, fmt.Errorf("%s is no number", n.show())
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(n.str()), 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no number", n.show())
	}
	return f, nil
}

func (n *node) integer() (int, error) {
	f, err := n.number()
	if err != nil {
		return 0, err
	}
	if f != float64(int(f)) {
		return 0, fmt.Errorf("%s is no whole number", n.show())
	}
	return int(f), nil
}

// seconds reads a number of seconds.
func (n *node) seconds() (configs.Duration, error) {
	f, err := n.number()
	if err != nil {
		return 0, err
	}
	const most = 100 * 365 * 24 * 3600
	if f < 0 || f > most {
		return 0, fmt.Errorf("%s is no time in seconds", n.show())
	}
	return configs.Duration(f * float64(time.Second)), nil
}

// words reads a list of texts, or one text with commas, as Horizon does.
func (n *node) words() []string {
	var all []string
	if n.isArray() {
		for _, p := range n.pairs {
			all = append(all, p.value.words()...)
		}
		return all
	}
	for word := range strings.SplitSeq(n.str(), ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}
