package mailbox

import (
	"slices"
	"sync"
	"testing"
)

// Whatever is put arrives, each sender's items in their order, and no sender
// waits for a reader.
func TestEverythingArrives(t *testing.T) {
	m := New[[2]int](0)
	m.Put()
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := range 1000 {
				m.Put([2]int{sender, n})
			}
		})
	}
	senders.Wait()
	var next [4]int
	<-m.Ready()
	for _, item := range m.Take() {
		if item[1] != next[item[0]] {
			t.Fatalf("got %v, want number %d", item, next[item[0]])
		}
		next[item[0]]++
	}
	if next != [4]int{1000, 1000, 1000, 1000} {
		t.Errorf("%v of 1000 each arrived", next)
	}
}

func TestLimit(t *testing.T) {
	m := New[int](3)
	m.Put(1, 2)
	m.Put(3, 4) // together they are too many
	m.Put(5)
	if got := m.Take(); !slices.Equal(got, []int{1, 2, 5}) {
		t.Errorf("got %v", got)
	}
	m.Put(6, 7, 8)
	if got := m.Take(); len(got) != 3 {
		t.Errorf("%v fit once there is room again", got)
	}
}
