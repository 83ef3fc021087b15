package configs

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// TestFragmentsProperty changes fragments at random, many of them into
// something wrong, and holds against every result what is promised: the main
// file and every fragment that is right by itself are in force as they are,
// nothing of the others that was not once right is, and the whole fits
// together.
func TestFragmentsProperty(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			reload(t, w.store)
			for round := range 15 {
				w.change(round)
				w.check(reload(t, w.store))
				if t.Failed() {
					t.Fatalf("in round %d", round)
				}
			}
		})
	}
}

// world is a set of fragments of which it is known what they are worth.
type world struct {
	t     *testing.T
	tree  *tree
	store *Store
	rand  *rand.Rand
	texts map[string]string // by file name
	right map[string]string // a connection that has to be there, of fragments right by themselves
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, rand: rand.New(rand.NewPCG(seed, 1)),
		texts: map[string]string{}, right: map[string]string{},
	}
	w.tree = newTree(t, map[string]string{"main.yml": includeAll + conn("main") + app("shop")})
	for i := range 6 {
		w.write(w.file(i), conn(fmt.Sprintf("f%d-start", i)), fmt.Sprintf("f%d-start", i))
	}
	w.store = w.tree.store()
	return w
}

func (w *world) file(i int) string { return fmt.Sprintf("conf.d/f%d.yml", i) }

func (w *world) write(file, text, right string) {
	w.tree.write(file, text)
	w.texts[file] = text
	delete(w.right, file)
	if right != "" {
		w.right[file] = right
	}
}

// change writes some fragments anew. Only names that begin with the
// fragment's own are its own.
func (w *world) change(round int) {
	for range 1 + w.rand.IntN(4) {
		i := w.rand.IntN(6)
		file, own := w.file(i), fmt.Sprintf("f%d-r%d", i, round)
		other := fmt.Sprintf("f%d-r%d", w.rand.IntN(6), w.rand.IntN(round+1))
		switch w.rand.IntN(9) {
		case 0:
			w.write(file, "connections: [", "")
		case 1:
			w.write(file, conn("main"), "") // the main file's name
		case 2:
			w.write(file, conn(other), "") // perhaps another's name
		case 3:
			w.write(file, queue("shop", other), "") // perhaps there
		case 4:
			w.write(file, conn(own)+queue("shop", "nowhere"), "")
		case 5:
			w.write(file, conn(own)+"queues: [{name: "+own+", application: shop, connection: main, queue_names: [default], max_wait: "+fmt.Sprint(1+w.rand.IntN(3))+"m}]\n", "")
		case 6:
			w.write(file, conn(own)+"applications: [{slug: "+own+", connections: [{connection: "+other+"}]}]\n", "")
		case 7:
			w.tree.remove(file)
			delete(w.right, file)
			delete(w.texts, file)
		default:
			w.write(file, conn(own)+queue("shop", own), own)
		}
	}
}

func (w *world) check(cfg *Config) {
	w.t.Helper()
	if c, ok := cfg.Connection("main"); !ok || c.Address != "main:6379" {
		w.t.Error("the main file's connection is lost")
	}
	states := map[string]Fragment{}
	for _, f := range cfg.Fragments() {
		states["conf.d/"+filepath.Base(f.File)] = f
	}
	if len(states) != len(w.texts) {
		w.t.Errorf("%d fragments, %d files", len(states), len(w.texts))
	}
	for file, name := range w.right {
		// A name that somebody else has had since before is not its own.
		if w.taken(file, name) {
			continue
		}
		if f := states[file]; !f.OK {
			w.t.Errorf("%s is right by itself and refused: %v", file, f.Err)
		}
		if _, ok := cfg.Connection(name); !ok {
			w.t.Errorf("%s is right by itself and %s is missing", file, name)
		}
	}
	w.checkWhole(cfg)
}

func (w *world) taken(file, name string) bool {
	for other, text := range w.texts {
		if other != file && strings.Contains(text, "{name: "+name+",") {
			return true
		}
	}
	for _, v := range w.store.versions {
		if strings.Contains(v.text, "{name: "+name+",") && v.text != w.texts[file] {
			return true
		}
	}
	return false
}

// checkWhole reads the result as one file: it has to be a configuration.
func (w *world) checkWhole(cfg *Config) {
	w.t.Helper()
	text, err := cfg.MaskedYAML()
	if err != nil {
		w.t.Fatal(err)
	}
	whole, err := Parse("whole.yml", text)
	if err != nil {
		w.t.Errorf("what is in force does not fit together: %v\n%s", err, text)
		return
	}
	if names(whole) != names(cfg) {
		w.t.Errorf("%s\nis not\n%s", names(whole), names(cfg))
	}
}
