// Package mailbox is a queue between goroutines whose sender never waits.
package mailbox

import "sync"

// Mailbox holds items until they are taken.
type Mailbox[T any] struct {
	mu    sync.Mutex
	items []T
	limit int
	ready chan struct{}
}

// New returns an empty mailbox. Beyond limit items it takes no more; 0 = there
// is no limit.
func New[T any](limit int) *Mailbox[T] {
	return &Mailbox[T]{limit: limit, ready: make(chan struct{}, 1)}
}

// Ready holds a token while there may be items.
func (m *Mailbox[T]) Ready() <-chan struct{} { return m.ready }

// Put adds items, all of them or, where they exceed the limit, none.
func (m *Mailbox[T]) Put(items ...T) {
	m.mu.Lock()
	if m.limit <= 0 || len(m.items)+len(items) <= m.limit {
		m.items = append(m.items, items...)
	}
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// Take returns all items, oldest first. It is called after a receive from
// Ready.
func (m *Mailbox[T]) Take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := m.items
	m.items = nil
	return items
}
