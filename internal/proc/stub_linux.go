package proc

import (
	"encoding/binary"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stubName is argv[0] of this binary where it is to be an exec stub.
const stubName = "queuefleet-exec-stub"

// RunStub makes this process a worker if that is what it was started for, and
// otherwise returns at once. Programs that use a Manager call it first thing in
// main. It is needed where the machine refuses to run the native stub, as with
// vm.memfd_noexec=2; the worker's soft nofile limit is then the hard one,
// unless its Spec sets it, since Go's runtime raises it.
func RunStub() {
	if len(os.Args) == 0 || os.Args[0] != stubName {
		return
	}
	runtime.LockOSThread() // identity and death signal are the thread's
	runProgram()
	os.Exit(stubFailed)
}

// runProgram carries out the program in imageFD. It returns only on failure.
func runProgram() {
	var info unix.Stat_t
	if err := unix.Fstat(imageFD, &info); err != nil || info.Size < dataOffset {
		return
	}
	size := uintptr(info.Size)
	at, err := unix.MmapPtr(imageFD, 0, unsafe.Add(nil, imageBase), size,
		unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_FIXED_NOREPLACE)
	if err != nil || uintptr(at) != imageBase {
		return
	}
	image := unsafe.Slice((*byte)(at), size)
	table := binary.NativeEndian.Uint64(image[slotOffset:]) - imageBase
	for call := image[table:]; len(call) >= callSize; call = call[callSize:] {
		word := func(i int) uintptr { return uintptr(binary.NativeEndian.Uint64(call[8*i:])) }
		result, _, errno := syscall.RawSyscall6(word(0), word(1), word(2), word(3), word(4), word(5), word(6))
		if errno != 0 {
			result = -uintptr(errno)
		}
		if check := word(7); (check == mustSucceed && errno != 0) || (check == mustEqual && result != word(1)) {
			var failure [failureSize]byte
			binary.NativeEndian.PutUint64(failure[:], uint64(result))
			binary.NativeEndian.PutUint64(failure[8:], uint64(imageBase+len(image)-len(call)))
			_, _ = unix.Write(statusFD, failure[:])
			return
		}
	}
}
