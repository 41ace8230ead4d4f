package ring

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// The door of a served ring: who comes in, and until when he has to have said
// what he wants.
const (
	handshakeLimit = time.Second
	deskPlaces     = 256

	// Somebody may have left whose end has not been heard yet.
	seatPatience = 50 * time.Millisecond
)

// A desk holds the clients whose handshake is not over. When it is full the
// one that has been at it longest has to go, not the newcomer: a handshake
// takes well under a millisecond unless a client wants it to last.
type desk struct {
	mu      sync.Mutex
	clients []*net.UnixConn
}

func (d *desk) enter(c *net.UnixConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.clients) == deskPlaces {
		hangUp(d.clients[0])
		d.clients = slices.Delete(d.clients, 0, 1)
	}
	d.clients = append(d.clients, c)
}

func (d *desk) leave(c *net.UnixConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.clients, c); i >= 0 {
		d.clients = slices.Delete(d.clients, i, i+1)
	}
}

// accept lets clients in until the listener is closed.
func (b *servedBacking) accept() {
	for {
		c, err := b.listener.AcceptUnix()
		switch {
		case err == nil:
			if b.greet(c) {
				b.desk.enter(c)
				go b.serve(c, handshakeLimit)
			}
		case errors.Is(err, net.ErrClosed):
			return
		default: // no descriptors, most likely: they come back
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// serve is one client, from hello to the end of its connection. 0 is no limit.
func (b *servedBacking) serve(c *net.UnixConn, limit time.Duration) {
	defer b.part(c)
	slot, err := b.handshake(c, limit)
	b.desk.leave(c)
	if err != nil || slot < 0 {
		return
	}
	b.attend(c)
	b.rise(slot)
}

// handshake answers one hello. slot is what it gave away, -1 for nothing.
func (b *servedBacking) handshake(c *net.UnixConn, limit time.Duration) (slot int, err error) {
	if limit > 0 {
		if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
			return -1, err
		}
	}
	refuse := func(k code, err error) (int, error) {
		_, werr := c.Write(reply{code: k, text: err.Error()}.bytes())
		return -1, errors.Join(err, werr)
	}
	user, err := shm.PeerUser(c)
	if err != nil {
		return -1, err
	}
	if err := b.admits(user); err != nil {
		return refuse(codeUser, err)
	}
	h, err := readHello(bare{c})
	if err != nil {
		return -1, err
	}
	if err := h.check(); err != nil {
		return refuse(codeVersion, err)
	}
	if h.wish == wishStatistics {
		text, err := b.statistics()
		if err != nil {
			return refuse(codeEnded, err)
		}
		_, err = c.Write(reply{text: text}.bytes())
		return -1, err
	}
	slot, memory, err := b.sit(user)
	for end := time.Now().Add(seatPatience); errors.Is(err, ErrNoSlot) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
		slot, memory, err = b.sit(user)
	}
	switch {
	case errors.Is(err, ErrNoSlot):
		return refuse(codeNoSlot, err)
	case err != nil:
		return refuse(codeEnded, err)
	}
	offer := reply{slot: uint32(slot), size: b.geo.broadcastSize(), patience: b.termsFor(user).patience, id: b.id}
	if !b.oneUser() {
		offer.flags |= flagManyUsers
	}
	err = shm.Send(c, offer.bytes(), b.memory, memory)
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		b.rise(slot)
		return -1, err
	}
	return slot, nil
}

// admits tells whether a user may be on the ring.
func (b *servedBacking) admits(user uint32) error {
	if own := uint32(os.Geteuid()); user != own && !slices.Contains(b.cfg.Users, user) {
		return fmt.Errorf("user id %d, want %d", user, append([]uint32{own}, foreign(b.cfg.Users)...))
	}
	return nil
}

// attend waits for the end of a consumer's connection. Before it, there is one
// thing to be said: that it has joined.
func (b *servedBacking) attend(c *net.UnixConn) {
	var said [1]byte
	for joined := false; ; joined = true {
		if n, err := (bare{c}).Read(said[:]); n == 0 || err != nil || joined || said[0] != sayJoin {
			return
		}
		b.countJoined()
		if err := c.SetWriteDeadline(time.Now().Add(handshakeLimit)); err != nil {
			return
		}
		if _, err := c.Write([]byte{sayJoined}); err != nil {
			return
		}
	}
}
