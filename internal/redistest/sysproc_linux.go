package redistest

import "syscall"

// dieWithParent has the kernel kill the server when the test binary dies
// without running its clean-ups, as on a timeout's panic.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
