package supervisor

import "sync"

// mailbox is a queue whose sender never waits.
type mailbox[T any] struct {
	mu    sync.Mutex
	items []T
	limit int           // 0 = none
	lost  uint64        // items beyond the limit
	ready chan struct{} // holds a token while there may be items
}

func newMailbox[T any](limit int) *mailbox[T] {
	return &mailbox[T]{limit: limit, ready: make(chan struct{}, 1)}
}

// put adds items, or counts them as lost where the reader is too far behind.
func (m *mailbox[T]) put(items ...T) {
	m.mu.Lock()
	if m.limit > 0 && len(m.items)+len(items) > m.limit {
		m.lost += uint64(len(items))
	} else {
		m.items = append(m.items, items...)
	}
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
