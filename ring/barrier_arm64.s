#include "textflag.h"

// func fullBarrier()
TEXT ·fullBarrier(SB), NOSPLIT, $0-0
	DMB $0xb // ISH
	RET

// func loadBarrier()
TEXT ·loadBarrier(SB), NOSPLIT, $0-0
	DMB $0x9 // ISHLD
	RET

// func pause(n uint32)
// ISB waits for some tens of cycles, as PAUSE does; YIELD hardly waits.
TEXT ·pause(SB), NOSPLIT, $0-4
	MOVWU n+0(FP), R0
again:
	ISB $0xf
	SUBW $1, R0
	CBNZW R0, again
	RET

// func prefetch(p *uint64)
TEXT ·prefetch(SB), NOSPLIT, $0-8
	MOVD p+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET
