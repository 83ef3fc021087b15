package proc

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// WithFilesOf runs f with an identity's rights to files, and with no others: a
// path that a worker's owner has laid out cannot lead a privileged program to
// where that owner may not go. What f makes belongs to the identity. It must
// not leave files to goroutines of its own. nil means the program's own user.
func WithFilesOf(id *Identity, f func() error) error {
	if id == nil || int(id.UID) == os.Geteuid() && int(id.GID) == os.Getegid() {
		return f()
	}
	result := make(chan error, 1)
	go onSpareThread(func() {
		if err := takeFilesOf(id); err != nil {
			result <- err
			return
		}
		result <- f()
	})
	return <-result
}

// onSpareThread runs f on a thread that ends with it, and that is not the main
// one, which cannot end.
func onSpareThread(f func()) {
	runtime.LockOSThread() // never unlocked: nobody else may get the thread
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() { // cannot get the main thread while this goroutine holds it
		defer close(done)
		onSpareThread(f)
	}()
	<-done
	runtime.UnlockOSThread() // nothing has been changed in this one
}

// takeFilesOf changes the rights of this thread alone; the C library's
// functions would change those of all.
func takeFilesOf(id *Identity) error {
	var groups unsafe.Pointer
	if len(id.Groups) > 0 {
		groups = unsafe.Pointer(&id.Groups[0])
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(id.Groups)), uintptr(groups), 0); errno != 0 {
		return os.NewSyscallError("setgroups", errno)
	}
	// Neither tells of a failure but by what it was before.
	_ = unix.Setfsgid(int(id.GID))
	_ = unix.Setfsuid(int(id.UID))
	gid, _ := unix.SetfsgidRetGid(-1)
	uid, _ := unix.SetfsuidRetUid(-1)
	if gid != int(id.GID) || uid != int(id.UID) {
		return fmt.Errorf("this program may not use files as user %d, group %d", id.UID, id.GID)
	}
	return nil
}
