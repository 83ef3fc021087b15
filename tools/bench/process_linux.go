package main

import (
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel kill the program when the harness is killed.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // an interrupt from the terminal is for the harness, which stops all in order
	}
}

// cpuTime reads the clock that the kernel keeps for each process. It counts
// nanoseconds, where /proc/PID/stat counts ticks of 10 ms.
func cpuTime(pid int) (time.Duration, error) {
	const cpuclockSched = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuclockSched), &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}

// raiseFileLimit returns how many files each of the programs may open.
func raiseFileLimit() int {
	const wanted = 65536
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	raised := unix.Rlimit{Cur: max(limit.Max, wanted), Max: max(limit.Max, wanted)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
		raised = unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
			return int(limit.Cur)
		}
	}
	return int(raised.Cur)
}

// kernel returns the kernel's release.
func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
