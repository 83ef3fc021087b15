//go:build !linux

package proc

import "syscall"

// companionAttributes keep the terminal's signals away.
func companionAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
