//go:build !linux

package transport

// mostPacket is what FreeBSD allows.
const mostPacket = 64 << 10

func widenPipe(conn) {}
