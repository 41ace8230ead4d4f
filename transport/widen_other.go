//go:build !linux

package transport

import "net"

// mostPacket is what FreeBSD allows.
const mostPacket = 64 << 10

func widenPipe(conn) {}

func widenDatagrams(c *net.UDPConn) {
	_ = c.SetReadBuffer(wideDatagrams)
	_ = c.SetWriteBuffer(wideDatagrams)
}
