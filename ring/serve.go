package ring

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/carousel-ipc/carousel/shm"
)

// ServeConfig describes a ring to be made and handed out.
type ServeConfig struct {
	Config
	// Users are the ids of users whose consumers are admitted besides those of
	// this process's own. They have to be known in its user namespace.
	Users []uint32
	// Distrust treats consumers of this process's own user like those of
	// others. For consumers in sandboxes that are of the same user.
	Distrust bool
	// Patience is how long a consumer that is not trusted may hold the producer
	// up each time, before it is evicted. 0: not at all, only lossy ones are
	// admitted; negative: for as long as its policy says. A consumer can make use of
	// its patience again and again: hostile ones cost no time only if lossy.
	Patience time.Duration
	// PerUser is how many consumers that are not trusted may be on the ring at once
	// for each user. 0: a quarter of the slots, but at least one.
	PerUser int
}

// strangers tells whether there may be consumers that are not trusted. The
// producer pays for a fence after each commit then: the cheaper way would let
// any user of the machine slow it down.
func (c ServeConfig) strangers() bool { return c.Distrust || len(foreign(c.Users)) > 0 }

// Serve makes a ring in sealed memory that has no name, and hands it to
// whoever dials l (Dial) and is admitted, or is invited (Invite): with a nil l
// to nobody else. A consumer can write to nothing but a page of its own. The
// connection is the proof of life: each side hears of the other's death at
// once, and nothing stays behind. The ring has one producer in its life, and
// is served until that closes, or, if it never came to be, until the Ring
// does. Serve takes l over. Linux only: elsewhere the error wraps
// errors.ErrUnsupported.
func Serve(l *net.UnixListener, cfg ServeConfig) (*Ring, error) {
	return serve(l, cfg, func() error { return nil })
}

// Listen is Serve at a socket that it makes at path, and removes at the end.
// What a killed producer left there is taken over; a live one is
// ErrProducerLive. The socket has mode 0600, or, with Users other than this
// process's own, 0666: the kernel then says who dials, and the producer whether
// he is admitted.
//
// The folder's mode is not looked at. It should be one in which nobody else can
// make or remove names, and that other users cannot read (mode 0700, or 0711 if
// they are to dial): whoever can may lock it, and this then gives up after two
// seconds (ErrLocked).
func Listen(path string, cfg ServeConfig) (*Ring, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	mode := os.FileMode(0o600)
	if len(foreign(cfg.Users)) > 0 {
		mode = 0o666 // SO_PEERCRED decides
	}
	l, unname, err := takeSocket(path, mode)
	if err != nil {
		return nil, err
	}
	return serve(l, cfg, unname)
}

// check tells whether such a ring can be made: not for other users where one of
// those who would be admitted, our own included, has the id that everybody has
// who is outside of this user namespace. (Without other users the mode of the
// socket keeps them out.)
func (c ServeConfig) check() error {
	geo, err := c.geometry()
	for _, u := range append(slices.Clone(c.Users), uint32(os.Geteuid())) {
		if err == nil && len(c.Users) > 0 && shm.Anybody(u) {
			err = fmt.Errorf("%w: wanted users that can be told apart, found id %d, which everybody has who is outside this user namespace", ErrConfig, u)
		}
	}
	if err == nil && (c.PerUser < 0 || c.PerUser > geo.slots) {
		err = fmt.Errorf("%w: %d consumers for each user, want 0 to %d", ErrConfig, c.PerUser, geo.slots)
	}
	return err
}

// perUser is how many slots a user that is not trusted may have.
func (c ServeConfig) perUser(slots int) int {
	if c.PerUser > 0 {
		return c.PerUser
	}
	return max(slots/4, 1)
}

// closeListener waits a moment at most: clients that nobody has accepted may
// have left descriptors that are slow to close. Nobody connects any more by then.
func closeListener(l *net.UnixListener) error {
	if l == nil {
		return nil
	}
	closed := make(chan error, 1)
	go func() { closed <- ignoreClosed(l.Close()) }()
	select {
	case err := <-closed:
		return err
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

// foreign are the users that are not our own.
func foreign(users []uint32) []uint32 {
	own := uint32(os.Geteuid())
	return slices.DeleteFunc(slices.Clone(users), func(u uint32) bool { return u == own })
}

func serve(l *net.UnixListener, cfg ServeConfig, unname func() error) (*Ring, error) {
	b, err := makeServed(l, cfg)
	if err != nil {
		return nil, errors.Join(err, unname(), closeListener(l))
	}
	b.unname = unname
	b.acquire()
	view, err := attach(b, b.geo, shm.ReadOnly, shm.ReadOnly)
	if err != nil {
		return nil, errors.Join(err, b.release())
	}
	b.view = view
	b.handles.Add(-1) // it ends with the serving
	r, err := open(b, b.geo)
	if err != nil {
		return nil, err
	}
	r.cfg = cfg.Config
	if l != nil {
		go b.accept()
	}
	return r, nil
}

// makeServed makes the memory. The mapping for writing comes before the seals,
// which forbid any other.
func makeServed(l *net.UnixListener, cfg ServeConfig) (*servedBacking, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	geo, _ := cfg.geometry()
	if os.Getpagesize() != page && shm.CanSeal {
		return nil, fmt.Errorf("ring: pages of this machine have %d bytes, want %d for a served ring: %w", os.Getpagesize(), page, errors.ErrUnsupported)
	}
	if l != nil {
		shm.TakeNothing(l)
	}
	f, err := shm.CreateMemfd("carousel-ring", int64(geo.broadcastSize()))
	if err != nil {
		return nil, err
	}
	first, err := f.Map(shm.ReadWrite)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b := &servedBacking{
		geo: geo, id: newID(), cfg: cfg, listener: l, memory: f, first: first,
		seats: make([]seat, geo.slots), conns: map[*net.UnixConn]struct{}{},
	}
	if l != nil {
		b.path = l.Addr().String()
	}
	formatBroadcast(segmentOf(first.Bytes()), geo, b.id, origin)
	if err := f.Seal(shm.SealedForReaders); err != nil {
		return nil, errors.Join(err, first.Unmap(), f.Close())
	}
	return b, nil
}

// Inspect asks whoever serves the ring at the socket path for its statistics,
// without a place on the ring. Errors are those of Dial.
func Inspect(ctx context.Context, path string) (Stats, error) {
	c, stop, err := callOn(ctx, path)
	if err != nil {
		return Stats{}, err
	}
	defer hangUp(c)
	defer stop()
	r, _, err := ask(ctx, c, wishStatistics, 0)
	if err != nil {
		return Stats{}, fmt.Errorf("%s: %w", path, err)
	}
	return parseStats(r.text)
}
