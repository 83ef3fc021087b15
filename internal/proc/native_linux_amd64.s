#include "go_asm.h"
#include "textflag.h"

// func codeAddress() *byte
TEXT ·codeAddress(SB), NOSPLIT, $0-8
	LEAQ runCalls<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// runCalls is where a process begins whose executable is the image of a
// program: no Go runtime, no stack but the kernel's. It makes the calls of the
// table one after the other. The last one is execve; after one that fails it
// writes its result and address to statusFD and ends.
//
// It refers to nothing by the position where it is linked, since it is copied.
TEXT runCalls<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ $const_slotAddress, BX
	MOVQ (BX), BX                // the call

next:
	MOVQ 0(BX), AX
	MOVQ 8(BX), DI
	MOVQ 16(BX), SI
	MOVQ 24(BX), DX
	MOVQ 32(BX), R10
	MOVQ 40(BX), R8
	MOVQ 48(BX), R9
	SYSCALL
	MOVQ 56(BX), R12
	CMPQ R12, $const_mayFail
	JEQ  done
	CMPQ R12, $const_mustEqual
	JEQ  compare
	CMPQ AX, $-4095              // unsigned: the errors are the highest numbers
	JCC  failed

done:
	ADDQ $const_callSize, BX
	JMP  next

compare:
	CMPQ AX, 8(BX)
	JEQ  done

failed:
	MOVQ AX, -16(SP)             // nothing interrupts: the red zone is ours
	MOVQ BX, -8(SP)
	MOVQ $const_sysWrite, AX
	MOVQ $const_statusFD, DI
	LEAQ -16(SP), SI
	MOVQ $const_failureSize, DX
	SYSCALL
	MOVQ $const_sysExitGroup, AX
	MOVQ $const_stubFailed, DI
	SYSCALL
	INT  $3
