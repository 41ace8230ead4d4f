#include "textflag.h"

// func fullBarrier()
// A locked add to the stack is cheaper than MFENCE and orders as much for
// ordinary memory.
TEXT ·fullBarrier(SB), NOSPLIT, $0-0
	LOCK
	ADDQ $0, 0(SP)
	RET

// func loadBarrier()
TEXT ·loadBarrier(SB), NOSPLIT, $0-0
	RET

// func pause(n uint32)
TEXT ·pause(SB), NOSPLIT, $0-4
	MOVL n+0(FP), AX
again:
	PAUSE
	SUBL $1, AX
	JGT again
	RET

// func prefetch(p *uint64)
TEXT ·prefetch(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), AX
	PREFETCHT0 (AX)
	RET
