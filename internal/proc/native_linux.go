//go:build amd64 || arm64

package proc

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls that runCalls itself makes, for the assembly.
const (
	sysWrite     = unix.SYS_WRITE
	sysExitGroup = unix.SYS_EXIT_GROUP
	stubFailed   = 127 // exit status of a stub that could not start its worker
)

// codeAddress returns where runCalls begins. It is copied into images and never
// called here.
func codeAddress() *byte

// nativeCode returns the machine code that carries out a program, and more that
// follows it and is never reached.
func nativeCode() []byte { return unsafe.Slice(codeAddress(), codeSize) }
