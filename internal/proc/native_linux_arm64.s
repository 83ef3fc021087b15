#include "go_asm.h"
#include "textflag.h"

// func codeAddress() *byte
TEXT ·codeAddress(SB), NOSPLIT, $0-8
	MOVD $runCalls<>(SB), R0
	MOVD R0, ret+0(FP)
	RET

// runCalls is where a process begins whose executable is the image of a
// program: no Go runtime, no stack but the kernel's. It makes the calls of the
// table one after the other. The last one is execve; after one that fails it
// writes its result and address to statusFD and ends.
//
// It refers to nothing by the position where it is linked, since it is copied.
TEXT runCalls<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVD $const_slotAddress, R19
	MOVD (R19), R19              // the call

next:
	MOVD 0(R19), R8
	MOVD 8(R19), R0
	MOVD 16(R19), R1
	MOVD 24(R19), R2
	MOVD 32(R19), R3
	MOVD 40(R19), R4
	MOVD 48(R19), R5
	SVC
	MOVD 56(R19), R20
	CMP  $const_mayFail, R20
	BEQ  done
	CMP  $const_mustEqual, R20
	BEQ  compare
	CMN  $4095, R0               // carry: one of the 4095 highest numbers, an error
	BCS  failed

done:
	ADD  $const_callSize, R19
	B    next

compare:
	MOVD 8(R19), R21
	CMP  R21, R0
	BEQ  done

failed:
	SUB  $16, RSP
	MOVD R0, 0(RSP)
	MOVD R19, 8(RSP)
	MOVD $const_sysWrite, R8
	MOVD $const_statusFD, R0
	MOVD RSP, R1
	MOVD $const_failureSize, R2
	SVC
	MOVD $const_sysExitGroup, R8
	MOVD $const_stubFailed, R0
	SVC
	BRK
