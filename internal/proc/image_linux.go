package proc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Layout of a program's image. The addresses are fixed, so that nothing needs
// relocating; imageBase is free in this binary as well, where RunStub maps it.
const (
	imageBase  = 0x10000000
	slotOffset = elfHeaders      // where the address of the first call stands
	codeOffset = slotOffset + 16 // where the kernel jumps to
	codeSize   = 256             // more than the code needs
	dataOffset = codeOffset + codeSize

	elfHeaders  = 64 + 2*56 // one file header, two program headers
	slotAddress = imageBase + slotOffset
	pageAlign   = 0x10000 // the largest page size that Linux has on our machines
)

// writeELFHeader makes image an executable of one read-only segment.
func writeELFHeader(image []byte) {
	file := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{
			0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elfData()), byte(elf.EV_CURRENT), byte(elf.ELFOSABI_NONE),
		},
		Type:      uint16(elf.ET_EXEC),
		Machine:   uint16(nativeMachine),
		Version:   uint32(elf.EV_CURRENT),
		Entry:     imageBase + codeOffset,
		Phoff:     64,
		Ehsize:    64,
		Phentsize: 56,
		Phnum:     2,
	}
	size := uint64(len(image))
	segments := [2]elf.Prog64{
		{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
			Vaddr: imageBase, Paddr: imageBase, Filesz: size, Memsz: size, Align: pageAlign,
		},
		{Type: uint32(elf.PT_GNU_STACK), Flags: uint32(elf.PF_R | elf.PF_W), Align: 16},
	}
	var headers bytes.Buffer
	_ = binary.Write(&headers, binary.NativeEndian, &file) // a Buffer takes everything
	_ = binary.Write(&headers, binary.NativeEndian, &segments)
	copy(image, headers.Bytes())
}

func elfData() elf.Data {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return elf.ELFDATA2LSB
	}
	return elf.ELFDATA2MSB
}

// memoryFile puts an image into an anonymous file that can be executed. The
// file is gone when the last process closes it.
func memoryFile(image []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("queuefleet-exec", unix.MFD_CLOEXEC|unix.MFD_EXEC)
	if err == unix.EINVAL { // MFD_EXEC is unknown before Linux 6.3 and not needed there
		fd, err = unix.MemfdCreate("queuefleet-exec", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	file := os.NewFile(uintptr(fd), "queuefleet-exec")
	if _, err := file.Write(image); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// stub is the way in which programs are carried out on this machine.
type stub struct {
	code  []byte // nil: this binary runs itself
	title func(name string) []string
	path  string
}

// nativeStub runs a program directly.
func nativeStub() stub {
	return stub{
		code:  nativeCode(),
		path:  "/proc/self/fd/5", // imageFD, in the child's own table
		title: func(name string) []string { return []string{"queuefleet: starting " + name} },
	}
}

// goStub runs this binary, which must call RunStub.
func goStub() stub {
	return stub{path: "/proc/self/exe", title: func(name string) []string { return []string{stubName, name} }}
}

const probeStatus = 42

// works runs a program that only ends, and reports whether it did. It must not
// be called while anybody else waits for children.
func (s stub) works(stdin *os.File) bool {
	var p program
	p.reset(s.code)
	p.call(description{}, mayFail, unix.SYS_EXIT_GROUP, probeStatus)
	image, err := memoryFile(p.finish())
	if err != nil {
		return false
	}
	defer image.Close() //nolint:errcheck // nothing was written
	null := stdin.Fd()
	pid, err := syscall.ForkExec(s.path, s.title("probe"), &syscall.ProcAttr{
		Files: []uintptr{null, null, null, ^uintptr(0), null, image.Fd()},
	})
	if err != nil {
		return false
	}
	var status syscall.WaitStatus
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR { //nolint:errorlint // a bare Errno
			return err == nil && status.Exited() && status.ExitStatus() == probeStatus
		}
	}
}
