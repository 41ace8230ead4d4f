package transport

import (
	"net"

	"golang.org/x/sys/unix"
)

// mostPacket has room for a record of 64 KiB with its header, and needs no more
// memory in one piece than the kernel has at hand.
const mostPacket = 68 << 10

// widePipe is four times what a pipe has from the start, and what every user
// may have 256 of.
const widePipe = 256 << 10

// widenDatagrams goes beyond what a user may have (net.core.rmem_max, wmem_max)
// where we may.
func widenDatagrams(c *net.UDPConn) {
	if control(c, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, wideDatagrams) }) != nil {
		_ = c.SetReadBuffer(wideDatagrams)
	}
	if control(c, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, wideDatagrams) }) != nil {
		_ = c.SetWriteBuffer(wideDatagrams)
	}
}

func widenPipe(c conn) {
	_ = control(c, func(fd int) error {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, widePipe)
		return err
	})
}
