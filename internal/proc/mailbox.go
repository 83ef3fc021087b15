package proc

import "sync"

// mailbox is a queue whose sender never waits.
type mailbox[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{} // holds one token while there may be items
}

func newMailbox[T any]() *mailbox[T] {
	return &mailbox[T]{ready: make(chan struct{}, 1)}
}

func (m *mailbox[T]) put(item T) {
	m.mu.Lock()
	m.items = append(m.items, item)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// take returns all items. It is called after a receive from ready.
func (m *mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := m.items
	m.items = nil
	return items
}
