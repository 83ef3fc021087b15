package proc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// What the exec stub finds open.
const (
	lockFD   = 3 // the worker's own, kept across exec; or closed
	statusFD = 4 // reports to the supervisor; closed by exec
	imageFD  = 5 // the program itself
	stubFDs  = 6
)

// How the result of a call is looked at. The assembly knows these numbers.
const (
	mustSucceed = 0
	mayFail     = 1
	mustEqual   = 2 // the result must be what the first argument says
)

const callSize = 64 // number, six arguments, check: eight words

// program is what happens between fork and exec: a list of system calls in an
// image that the exec stub finds at imageBase in its memory. The image is a
// complete ELF executable, with the code that carries out the list.
type program struct {
	image []byte
	calls []byte
	doing []description // one a call, for errors; not reused, reports come later
	table uint64        // address of the first call, once finished
}

// description names a call where it fails.
type description struct {
	at   stage
	what string
}

// reset begins a new program in the memory of the last one.
func (p *program) reset(code []byte) {
	p.image = append(p.image[:0], make([]byte, dataOffset)...)
	copy(p.image[codeOffset:], code)
	p.calls, p.doing = p.calls[:0], nil
}

// text puts a string into the image and returns its address.
func (p *program) text(s string) uint64 {
	address := imageBase + uint64(len(p.image))
	p.image = append(append(p.image, s...), 0)
	return address
}

func (p *program) align() {
	for len(p.image)%8 != 0 {
		p.image = append(p.image, 0)
	}
}

// words puts numbers into the image and returns their address.
func (p *program) words(words ...uint64) uint64 {
	p.align()
	address := imageBase + uint64(len(p.image))
	for _, word := range words {
		p.image = binary.NativeEndian.AppendUint64(p.image, word)
	}
	return address
}

// texts puts a NULL-terminated array of strings into the image, such as argv.
func (p *program) texts(texts []string) uint64 {
	addresses := make([]uint64, 0, len(texts)+1)
	for _, text := range texts {
		addresses = append(addresses, p.text(text))
	}
	return p.words(append(addresses, 0)...)
}

// call appends a system call.
func (p *program) call(d description, check, number uint64, arguments ...uint64) {
	var call [8]uint64
	call[0], call[7] = number, check
	copy(call[1:7], arguments)
	for _, word := range call {
		p.calls = binary.NativeEndian.AppendUint64(p.calls, word)
	}
	p.doing = append(p.doing, d)
}

// finish returns the image of a program whose last call does not return.
func (p *program) finish() []byte {
	p.align()
	p.table = imageBase + uint64(len(p.image))
	p.image = append(p.image, p.calls...)
	binary.NativeEndian.PutUint64(p.image[slotOffset:], p.table)
	writeELFHeader(p.image)
	return p.image
}

// compile makes the program that starts a worker. The order matters: limits and
// nice need root's rights, changing the user clears the death signal, and
// whether the supervisor still lives is asked once its death can no longer be
// missed.
func (p *program) compile(code []byte, s *Spec, environment []string) error {
	p.reset(code)
	p.cleanUp()
	if err := p.limits(s); err != nil {
		return err
	}
	if s.Umask != nil {
		p.call(description{stageSetup, "setting the umask"}, mayFail, unix.SYS_UMASK, uint64(*s.Umask))
	}
	p.identity(s.User)
	p.call(description{stageDirectory, "changing to directory " + s.Dir}, mustSucceed, unix.SYS_CHDIR, p.text(s.Dir))
	if s.DeathSignal != 0 {
		p.call(description{stageDeathSignal, "setting the death signal"}, mustSucceed,
			unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uint64(s.DeathSignal))
	}
	p.call(description{stageSetup, "looking for the supervisor"}, mustEqual, unix.SYS_GETPPID, uint64(os.Getpid()))
	// The mark that says: all is done, a stub that now disappears has become the worker.
	p.call(description{stageSetup, "reporting"}, mustSucceed, unix.SYS_WRITE, statusFD, p.text("x"), 1)
	p.call(description{stageExec, "executing " + s.Path}, mustSucceed,
		unix.SYS_EXECVE, p.text(s.Path), p.texts(s.Args), p.texts(environment))
	return nil
}

// lastSignal is the last real-time signal. Those can be ignored, too.
const lastSignal = 64

// cleanUp undoes what a process inherits from the supervisor.
func (p *program) cleanUp() {
	setup := func(what string) description { return description{stageSetup, what} }
	p.call(setup("naming the process"), mayFail, unix.SYS_PRCTL, unix.PR_SET_NAME, p.text("queuefleet-exec"))
	p.call(setup("closing the image"), mustSucceed, unix.SYS_CLOSE, imageFD)
	p.call(setup("closing files"), mayFail, unix.SYS_CLOSE_RANGE, stubFDs, 1<<32-1, 0) // fails before Linux 5.9
	p.call(setup("marking the report's file"), mustSucceed, unix.SYS_FCNTL, statusFD, unix.F_SETFD, unix.FD_CLOEXEC)
	// Signals that the supervisor was told to ignore, as by nohup, would be
	// ignored by the worker as well.
	nothing := p.words(0, 0, 0, 0)
	for signal := uint64(1); signal <= lastSignal; signal++ {
		p.call(setup("resetting signals"), mayFail, unix.SYS_RT_SIGACTION, signal, nothing, 0, 8)
	}
	p.call(setup("unblocking signals"), mustSucceed, unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, nothing, 0, 8)
}

func (p *program) limits(s *Spec) error {
	for _, limit := range s.Limits {
		resource, known := resources()[limit.Name]
		if !known {
			return refuse(BadLimit, "there is no limit %q", limit.Name)
		}
		p.call(description{stageLimit, fmt.Sprintf("setting limit %s to %d", limit.Name, limit.Soft)}, mustSucceed,
			unix.SYS_PRLIMIT64, 0, uint64(resource), p.words(limit.Soft, limit.Hard), 0)
	}
	if s.Nice != 0 {
		p.call(description{stageNice, fmt.Sprintf("setting nice %d", s.Nice)}, mustSucceed,
			unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uint64(s.Nice))
	}
	return nil
}

func (p *program) identity(id *Identity) {
	if id == nil || (os.Geteuid() != 0 && isSelf(*id)) {
		return
	}
	packed := make([]uint64, (len(id.Groups)+1)/2)
	buffer := make([]byte, 8*len(packed))
	for i, group := range id.Groups {
		binary.NativeEndian.PutUint32(buffer[4*i:], group)
	}
	for i := range packed {
		packed[i] = binary.NativeEndian.Uint64(buffer[8*i:])
	}
	p.call(description{stageUser, fmt.Sprintf("setting the groups of user %d", id.UID)}, mustSucceed,
		unix.SYS_SETGROUPS, uint64(len(id.Groups)), p.words(packed...))
	gid, uid := uint64(id.GID), uint64(id.UID)
	p.call(description{stageUser, fmt.Sprintf("becoming group %d", gid)}, mustSucceed, unix.SYS_SETRESGID, gid, gid, gid)
	p.call(description{stageUser, fmt.Sprintf("becoming user %d", uid)}, mustSucceed, unix.SYS_SETRESUID, uid, uid, uid)
}

// report is what the stub wrote: whether it got as far as exec, and the call
// that failed.
type report struct {
	execed bool
	err    *StartError
}

const failureSize = 16 // result, address of the call: two words

// readReport understands what a stub that ran a program wrote before its end of
// the pipe closed.
func readReport(text []byte, tableAddress uint64, doing []description) report {
	r := report{execed: len(text)%failureSize == 1}
	if len(text) < failureSize {
		return r
	}
	failure := text[len(text)-failureSize:]
	result := int64(binary.NativeEndian.Uint64(failure))
	index := (binary.NativeEndian.Uint64(failure[8:]) - tableAddress) / callSize
	if index >= uint64(len(doing)) {
		r.err = refuse(OtherReason, "the exec stub reported nonsense: %x", text)
		return r
	}
	d := doing[index]
	r.err = &StartError{Doing: d.what, Err: errors.New("the supervisor is gone")}
	if result < 0 && result >= -4095 {
		r.err.Err = syscall.Errno(-result)
	}
	r.err.Reason = reasonOf(d.at, r.err.Err)
	return r
}
