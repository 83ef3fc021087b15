package proc

import "syscall"

// companionAttributes keep the terminal's signals away, and end a companion
// whose owner was killed.
func companionAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
