package transport

import "golang.org/x/sys/unix"

// mostPacket has room for a record of 64 KiB with its header, and needs no more
// memory in one piece than the kernel has at hand.
const mostPacket = 68 << 10

// widePipe is four times what a pipe has from the start, and what every user
// may have 256 of.
const widePipe = 256 << 10

func widenPipe(c conn) {
	_ = control(c, func(fd int) error {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, widePipe)
		return err
	})
}
