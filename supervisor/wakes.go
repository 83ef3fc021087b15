package supervisor

import (
	"container/heap"
	"time"
)

// wake is something to be done at a time.
type wake struct {
	at  time.Time
	run func()
}

// wakes is the heap of them: the next one on top.
type wakes []wake

func (w wakes) Len() int           { return len(w) }
func (w wakes) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w wakes) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *wakes) Push(x any)        { *w = append(*w, x.(wake)) }

func (w *wakes) Pop() any {
	last := (*w)[len(*w)-1]
	(*w)[len(*w)-1] = wake{}
	*w = (*w)[:len(*w)-1]
	return last
}

func (w *wakes) add(at time.Time, run func()) { heap.Push(w, wake{at, run}) }

// due removes and returns what is to be done by now.
func (w *wakes) due(now time.Time) []wake {
	var due []wake
	for len(*w) > 0 && !(*w)[0].at.After(now) {
		due = append(due, heap.Pop(w).(wake))
	}
	return due
}

// next is how long to wait for the first; ok is false where there is none.
func (w wakes) next(now time.Time) (wait time.Duration, ok bool) {
	if len(w) == 0 {
		return 0, false
	}
	return max(0, w[0].at.Sub(now)), true
}
