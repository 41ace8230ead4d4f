//go:build linux && !carousel_portable

package hostile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/ring"
)

// By way of the socket, its name, and the folder that this is in.
var socketAttempts = []attempt{
	{"unlink", "remove the socket's name", owner, func(a *attacker) (string, error) {
		return did("removed", os.Remove(a.socket))
	}},
	{"replace", "put a socket of its own in its place", owner, func(a *attacker) (string, error) {
		if err := os.Rename(a.socket, a.socket+".was"); err != nil {
			return "", err
		}
		a.later(func() error { return os.Rename(a.socket+".was", a.socket) })
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: a.socket, Net: "unix"})
		if err != nil {
			return "", err
		}
		a.later(l.Close)
		return "listening", nil
	}},
	{"bind", "listen at the socket's name, too", none, func(a *attacker) (string, error) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: a.socket, Net: "unix"})
		if err != nil {
			return "", err
		}
		l.SetUnlinkOnClose(false)
		return "listening", l.Close()
	}},
	{"bind-next", "take the name that another producer will want", owner, func(a *attacker) (string, error) {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: a.socket + ".next", Net: "unix"})
		if err != nil {
			return "", err
		}
		a.later(l.Close)
		return "listening", nil
	}},
	{"plant-next", "plant a symbolic link there", owner, func(a *attacker) (string, error) {
		if err := os.Symlink("/tmp", a.socket+".next"); err != nil {
			return "", err
		}
		a.later(func() error { return os.Remove(a.socket + ".next") })
		return "planted", nil
	}},
	{"chmod-socket", "take away everybody's permission to connect", owner, func(a *attacker) (string, error) {
		return did("taken", os.Chmod(a.socket, 0))
	}},
	{"chmod-folder", "take away everybody's permission to use the folder", owner, func(a *attacker) (string, error) {
		a.later(func() error {
			_ = os.Chmod(a.folder, 0o711) // refused, if that was
			return nil
		})
		return did("taken", os.Chmod(a.folder, 0))
	}},
	{"rename-folder", "give the folder another name", superior, func(a *attacker) (string, error) {
		if err := os.Rename(a.folder, a.folder+".was"); err != nil {
			return "", err
		}
		a.later(func() error { return os.Rename(a.folder+".was", a.folder) })
		return "renamed", nil
	}},
	{"mount", "mount over the folder", superior, func(a *attacker) (string, error) {
		if err := unix.Mount("hostile", a.folder, "tmpfs", 0, "size=64k"); err != nil {
			return "", err
		}
		a.later(func() error { return unix.Unmount(a.folder, unix.MNT_DETACH) })
		return "mounted", nil
	}},
	{"lock-folder", "lock the folder for ever, so that no producer can begin or end in it", owner, func(a *attacker) (string, error) {
		fd, err := unix.Open(a.folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return "", err
		}
		a.closeLater(fd)
		return did("locked", unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB))
	}},
	{"not-admitted", "dial the ring that is for the producer's user alone", none, func(a *attacker) (string, error) {
		r, err := ring.Dial(context.Background(), a.socket+".own")
		if err != nil {
			return "", err
		}
		return "admitted", r.Close()
	}},
	{"spoof", "say in a message that it is the producer's user (SCM_CREDENTIALS)", none, func(a *attacker) (string, error) {
		c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: a.socket + ".own", Net: "unix"})
		if err != nil {
			return "", err
		}
		defer c.Close()
		said := unix.UnixCredentials(&unix.Ucred{Pid: int32(a.producer), Uid: producerUser, Gid: producerUser})
		if _, _, err := c.WriteMsgUnix(helloBytes(wishPlace), said, nil); err != nil {
			return "", err
		}
		return a.reply(c)
	}},
	{"stall", "300 connections that say nothing", none, func(a *attacker) (string, error) {
		for range 300 {
			c, err := net.Dial("unix", a.socket)
			if err != nil {
				return "", err
			}
			a.later(c.Close)
		}
		return "connected", nil
	}},
	{"half-hello", "100 connections that say half of hello", none, func(a *attacker) (string, error) {
		for range 100 {
			c, err := net.Dial("unix", a.socket)
			if err != nil {
				return "", err
			}
			_, _ = c.Write(helloBytes(wishPlace)[:20])
			a.later(c.Close)
		}
		return "said", nil
	}},
	{"nonsense", "a hello of random bytes", none, func(a *attacker) (string, error) {
		c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: a.socket, Net: "unix"})
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := c.Write([]byte(strings.Repeat("?", 32))); err != nil {
			return "", err
		}
		return a.reply(c)
	}},
	{"descriptors", "a hello with 250 descriptors", none, func(a *attacker) (string, error) {
		c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: a.socket, Net: "unix"})
		if err != nil {
			return "", err
		}
		defer c.Close()
		fds := make([]int, 250)
		for i := range fds {
			fds[i] = a.slot
		}
		if _, _, err := c.WriteMsgUnix(helloBytes(wishPlace), unix.UnixRights(fds...), nil); err != nil {
			return "", err
		}
		return a.reply(c)
	}},
	{"no-reader", "ask for statistics 50 times without reading them", none, func(a *attacker) (string, error) {
		for range 50 {
			c, err := net.Dial("unix", a.socket)
			if err != nil {
				return "", err
			}
			_, _ = c.Write(helloBytes(wishStatistics))
			a.later(c.Close)
		}
		return "asked", nil
	}},
}

// reply waits for what the producer says to c.
func (a *attacker) reply(c *net.UnixConn) (string, error) {
	if err := c.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return "", err
	}
	var b [512]byte
	n, oobn, _, _, err := c.ReadMsgUnix(b[:], make([]byte, 128))
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", errors.New("the connection was closed")
	}
	if oobn == 0 {
		return "", fmt.Errorf("no descriptors, but %d bytes", n)
	}
	return fmt.Sprintf("%d bytes and %d of descriptors", n, oobn), nil
}
