package proc

import (
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
)

var errNoCgroup = errors.New("no cgroup is delegated to the supervisor")

// forkLoop starts one child after the other. It is the only place that forks,
// and its thread the one whose end would be the supervisor's to the kernel.
func (m *Manager) forkLoop() {
	for {
		select {
		case <-m.starts.Ready():
		case <-m.done:
			return
		}
		for _, c := range m.starts.Take() {
			select {
			case <-m.done:
				return
			default:
				m.start(c)
			}
		}
	}
}

// birth is what is open while a child is being started.
type birth struct {
	child                 *Child
	ends                  Ends
	image                 *os.File
	statusRead, statusEnd *os.File
	leaf                  *leaf
	doing                 []description
	table                 uint64
}

func (m *Manager) start(c *Child) {
	if c.cancelled() {
		return
	}
	b := &birth{child: c}
	if err := m.conceive(b); err != nil {
		m.miscarry(b)
		c.fail(startError(err, "preparing the start"))
		return
	}
	if err := m.fork(b); err != nil {
		m.miscarry(b)
		c.fail(startError(err, "forking"))
		return
	}
	if err := c.stopIfAsked(); err != nil {
		m.log.Error("a worker cannot be signalled", "worker", c.launch.Name, "pid", c.PID(), "err", err)
	}
	_ = b.image.Close()
	_ = b.statusEnd.Close()
	b.ends.closeWorkers()
	if b.leaf != nil {
		_ = b.leaf.handle.Close()
	}
	m.running.Go(func() { m.awaitExec(b) })
	for _, stream := range b.ends.Streams {
		m.reading.Go(func() { m.readStream(c, stream) })
	}
}

func startError(err error, doing string) *StartError {
	if known, ok := errors.AsType[*StartError](err); ok {
		return known
	}
	return &StartError{Reason: reasonOf(stageFork, err), Doing: doing, Err: err}
}

// conceive makes all that the new process needs.
func (m *Manager) conceive(b *birth) error {
	l := &b.child.launch
	if err := checkLaunch(l); err != nil {
		return err
	}
	if err := m.program.compile(m.stub.code, &l.Spec, b.child.environment()); err != nil {
		return err
	}
	var err error
	if b.image, err = memoryFile(m.program.finish()); err != nil {
		return err
	}
	b.doing, b.table = m.program.doing, m.program.table
	if b.statusRead, b.statusEnd, err = pipe(); err != nil {
		return err
	}
	source := l.Source
	if source == nil {
		source = Pipes{}
	}
	if b.ends, err = source.Open(l.Spec.User); err != nil {
		return err
	}
	if m.cgroup != nil {
		name := "worker-" + strconv.FormatUint(b.child.id, 10)
		b.leaf, err = m.cgroup.newLeaf(name, l.Spec.MemoryMax)
	}
	return err
}

// miscarry closes what a start that failed has opened.
func (m *Manager) miscarry(b *birth) {
	for _, file := range []*os.File{b.image, b.statusRead, b.statusEnd} {
		if file != nil {
			_ = file.Close()
		}
	}
	if b.ends.Stdout != nil {
		b.ends.closeWorkers()
		b.ends.closeStreams()
	}
	if b.leaf != nil {
		_ = b.leaf.handle.Close()
		b.leaf.remove()
	}
}

// fork makes the new process and makes it known before it can be reaped.
func (m *Manager) fork(b *birth) error {
	c := b.child
	lock := ^uintptr(0) // closed
	if c.launch.Lock != nil {
		lock = c.launch.Lock.Fd()
	}
	pidfd := -1
	attributes := &syscall.ProcAttr{
		Env:   nil, // the stub may run as root: no LD_PRELOAD or GODEBUG of a worker reaches it
		Files: []uintptr{m.null.Fd(), b.ends.Stdout.Fd(), b.ends.Stderr.Fd(), lock, b.statusEnd.Fd(), b.image.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd},
	}
	if b.leaf != nil {
		attributes.Sys.UseCgroupFD, attributes.Sys.CgroupFD = true, int(b.leaf.handle.Fd())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	pid, err := syscall.ForkExec(m.stub.path, m.stub.title(c.launch.Name), attributes)
	runtime.KeepAlive(c.launch.Lock)
	if err != nil {
		return err
	}
	m.children[pid] = c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pid, c.pidfd, c.leaf = pid, pidfd, b.leaf
	c.streams, c.reading, c.status = b.ends.Streams, len(b.ends.Streams), b.statusRead
	return nil
}

func checkLaunch(l *Launch) error {
	if len(l.Spec.Args) == 0 || l.Spec.Path == "" {
		return refuse(MissingCommand, "the command is empty")
	}
	if slices.ContainsFunc(append([]string{l.Spec.Path, l.Spec.Dir, l.Name}, l.Spec.Args...), hasNUL) {
		return refuse(OtherReason, "the command, its directory or its name contains a NUL byte")
	}
	return nil
}

// awaitExec waits until the stub has become the worker or has failed: in both
// cases the pipe's other end closes.
func (m *Manager) awaitExec(b *birth) {
	defer b.statusRead.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(b.statusRead, 4*failureSize))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return // closed
	}
	b.child.reported(readReport(text, b.table, b.doing))
}

func (m *Manager) readStream(c *Child, stream Stream) {
	if newReader(&c.output, stream, &m.buffers).run() {
		m.stats.abandoned.Add(1)
	}
	c.streamRead()
}
