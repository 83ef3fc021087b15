//go:build !amd64 && !arm64

package proc

import "debug/elf"

const (
	nativeMachine = elf.EM_NONE
	stubFailed    = 127
)

// nativeCode returns nil: programs are carried out by RunStub.
func nativeCode() []byte { return nil }
