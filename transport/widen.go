package transport

import "net"

// wideSocket is the room that a sender asks for. A connection over TCP finds
// its own.
const wideSocket = 256 << 10

// wideDatagrams is the room for datagrams that either side asks for: a burst that
// finds none is lost. The kernel may grant less.
const wideDatagrams = 8 << 20

// widen gives what is sent more room than the system does by itself, so that
// either side moves more at a time. Where that is refused, it goes on without.
func widen(c conn) {
	switch c := c.(type) {
	case *net.UnixConn:
		_ = c.SetWriteBuffer(wideSocket)
	case *net.TCPConn:
	default:
		widenPipe(c)
	}
}
