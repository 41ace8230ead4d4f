package seccomp

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// arches are the names under which the kernel shows a filter the architecture
// of a call.
var arches = map[string]uint32{
	"386":     unix.AUDIT_ARCH_I386,
	"amd64":   unix.AUDIT_ARCH_X86_64,
	"arm":     unix.AUDIT_ARCH_ARM,
	"arm64":   unix.AUDIT_ARCH_AARCH64,
	"ppc64le": unix.AUDIT_ARCH_PPC64LE,
	"riscv64": unix.AUDIT_ARCH_RISCV64,
	"s390x":   unix.AUDIT_ARCH_S390X,
}

// Places in struct seccomp_data of linux/seccomp.h.
const (
	dataCall = 0
	dataArch = 4
	dataArgs = 16 // six of 64 bits
	args     = 6
)

// Verdicts, of the same header.
const (
	verdictErrno = 0x00050000
	verdictAllow = 0x7fff0000
)

// The few instructions that are needed.
func load(at uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
}

func verdict(v uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: v}
}

func mask(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: k}
}

// unless jumps over the next n instructions where the comparison with k fails.
func unless(comparison uint16, k uint32, n int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | comparison | unix.BPF_K, K: k, Jf: uint8(n)}
}

// program translates f. Calls of another architecture than this program's go
// through.
func (f Filter) program() ([]unix.SockFilter, error) {
	arch, ok := arches[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("seccomp: wanted an architecture with a known name, found %s", runtime.GOARCH)
	}
	p := []unix.SockFilter{load(dataArch), unless(unix.BPF_JEQ, arch, 0), verdict(verdictAllow)}
	p[1].Jt, p[1].Jf = 1, 0
	for _, r := range f {
		body, err := r.body()
		if err != nil {
			return nil, err
		}
		comparison := uint16(unix.BPF_JEQ)
		if r.Beyond {
			comparison = unix.BPF_JGT
		}
		p = append(p, load(dataCall), unless(comparison, r.Call, len(body)))
		p = append(p, body...)
	}
	return append(p, verdict(verdictAllow)), nil
}

// body is what follows when the number of the call fits.
func (r Rule) body() (p []unix.SockFilter, err error) {
	const each = 3 // instructions for one condition
	for i, a := range r.When {
		if a.Index < 0 || a.Index >= args {
			return nil, fmt.Errorf("seccomp: wanted an argument from 0 to %d, found %d", args-1, a.Index)
		}
		rest := (len(r.When)-i-1)*each + 1
		test := unless(unix.BPF_JEQ, a.Value, rest)
		if a.Not {
			test.Jt, test.Jf = test.Jf, 0
		}
		p = append(p, load(lowHalf(a.Index)), mask(a.Mask), test)
	}
	return append(p, verdict(verdictErrno|uint32(r.Errno)&0xffff)), nil
}

// lowHalf is where the low 32 bits of an argument are.
func lowHalf(i int) uint32 {
	at := uint32(dataArgs + 8*i)
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		at += 4
	}
	return at
}
