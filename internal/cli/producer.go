package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/carousel-ipc/carousel/transport"
)

// producerFlags is a producer's command line, checked.
type producerFlags struct {
	url, medium string

	split      splitting
	gen        uint64
	size       size
	rate       float64
	consumers  int
	capacity   size
	slots      int
	batch      int
	typ        recordType
	crc        bool
	users      users
	patience   time.Duration
	wait       transport.Wait
	drain      time.Duration
	sync       transport.Syncing
	retain     transport.Retention
	progress   bool
	json       bool
	demo       bool
	generated  bool // gen was given, be it 0
	rendezvous bool // the capacity is 0
}

func parseProducer(args []string, stdout io.Writer) (producerFlags, error) {
	f := producerFlags{
		size:     64,
		capacity: transport.DefaultCapacity,
		slots:    transport.DefaultSlots,
		drain:    10 * time.Second,
	}
	fs := flagSet("producer")
	fs.Var(&f.split, "split", "")
	fs.Uint64Var(&f.gen, "gen", 0, "")
	fs.Var(&f.size, "size", "")
	fs.Float64Var(&f.rate, "rate", 0, "")
	fs.IntVar(&f.consumers, "consumers", 0, "")
	fs.Var(&f.capacity, "capacity", "")
	fs.IntVar(&f.slots, "slots", f.slots, "")
	fs.IntVar(&f.batch, "batch", 0, "")
	fs.Var(&f.typ, "type", "")
	fs.BoolVar(&f.crc, "crc", false, "")
	fs.Var(&f.users, "users", "")
	fs.DurationVar(&f.patience, "patience", 0, "")
	fs.Func("wait", "", func(s string) (err error) { f.wait, err = transport.ParseWait(s); return hint(err) })
	fs.DurationVar(&f.drain, "drain", f.drain, "")
	fs.Func("sync", "", func(s string) (err error) { f.sync, err = transport.ParseSyncing(s); return hint(err) })
	fs.Func("retain", "", func(s string) (err error) { return setRetention(&f.retain, s) })
	fs.BoolVar(&f.progress, "progress", false, "")
	fs.BoolVar(&f.json, "json", false, "")
	fs.BoolVar(&f.demo, "demo", false, "")
	if err := parseFlags(fs, args, stdout, producerUsage); err != nil {
		return f, err
	}
	if f.demo {
		if fs.NFlag() > 1 || fs.NArg() > 0 {
			return f, usagef("-demo stands alone")
		}
		return f, nil
	}
	if err := f.check(fs); err != nil {
		return f, err
	}
	var err error
	f.url, f.medium, err = onlyURL(fs)
	if err == nil && f.medium != "memfd" && (given(fs, "users") || given(fs, "patience")) {
		err = usagef("-users and -patience are about memfd: rings, found %s", f.url)
	}
	for _, name := range []string{"sync", "retain"} {
		if err == nil && f.medium != "log" && given(fs, name) {
			err = usagef("-%s is about log:, found %s:", name, f.medium)
		}
	}
	return f, err
}

// setRetention adds a limit: a size, or a duration.
func setRetention(r *transport.Retention, s string) error {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		r.Age = d
		return nil
	}
	var n size
	if err := n.Set(s); err != nil || n <= 0 {
		return errors.New("want a size such as 10GiB or a duration such as 72h, more than 0")
	}
	r.Bytes = int64(n)
	return nil
}

// largestCapacity is half of transport's where an int has 32 bits.
const largestCapacity = size(transport.MaxCapacity) >> (1 - (^uint(0) >> 63))

// check finds what no single flag's parser can.
func (f *producerFlags) check(fs *flag.FlagSet) error {
	f.generated = given(fs, "gen")
	f.rendezvous = f.capacity == 0 // on a ring of default size
	switch {
	case !f.generated && given(fs, "size"):
		return usagef("-size is about generated records: give -gen too")
	case f.generated && given(fs, "split"):
		return usagef("-split is about standard input, which -gen does not read")
	case f.split == splitFrames && given(fs, "type"):
		return usagef("-split frames keeps the types that the frames have: no -type")
	case f.size < minGenerated:
		return usagef("-size %d: a generated record has at least %d bytes", f.size, minGenerated)
	case given(fs, "rate") && !(f.rate > 0 && f.rate <= math.MaxUint32):
		return usagef("-rate %v: want records per second, more than 0", f.rate)
	case f.consumers < 0:
		return usagef("-consumers %d: want 0 or more", f.consumers)
	case f.consumers > f.slots && (given(fs, "slots") || f.consumers > transport.MaxSlots):
		return usagef("-consumers %d: there are only %d slots", f.consumers, min(f.slots, transport.MaxSlots))
	case !f.rendezvous && f.capacity < transport.MinCapacity || f.capacity&(f.capacity-1) != 0 || f.capacity > largestCapacity:
		return usagef("-capacity %v: want a power of two from %v to %v", f.capacity,
			size(transport.MinCapacity), largestCapacity)
	case f.slots < 1 || f.slots > transport.MaxSlots:
		return usagef("-slots %d: want 1 to %d", f.slots, transport.MaxSlots)
	case f.batch < 0 || given(fs, "batch") && f.batch == 0:
		return usagef("-batch %d: want 1 or more", f.batch)
	case given(fs, "patience") && len(f.users) == 0:
		return usagef("-patience is about consumers of other users: give -users too")
	case f.drain < 0:
		return usagef("-drain %v: want 0 or more", f.drain)
	}
	// What was not asked for is taken as an existing ring has it.
	if !given(fs, "capacity") {
		f.capacity = 0
	}
	if !given(fs, "slots") {
		f.slots = 0
	}
	if (f.generated || f.rendezvous) && f.batch == 0 {
		f.batch = 1
	}
	return nil
}

// Producer is the command: args without the program's name. It returns the
// exit code.
func Producer(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if role, ok := demoRole(); ok {
		return demoConsumer(role, stdin, stdout)
	}
	f, err := parseProducer(args, stdout)
	if err != nil {
		return refuse("producer", err, stderr)
	}
	if f.demo {
		return demo(stdout, stderr)
	}
	c := newConsole(stderr, "producer")
	sig := watchSignals(func() { printStats(c, f.url) })
	defer sig.close()

	sum := producerSummary{URL: f.url, Medium: f.medium}
	err = produce(f, stdin, c, sig, &sum)
	code := exitOK
	if err != nil {
		code = exitError
	}
	if sig.again.Load() {
		code = exitAgain
	}
	sum.Error = errorText(err)
	summarize(c, sum, f.json)
	return code
}

// produce makes the ring, publishes everything, drains and closes.
func produce(f producerFlags, stdin io.Reader, c *console, sig *interrupts, sum *producerSummary) error {
	p, err := transport.Create(f.url, transport.ProducerConfig{
		Capacity:   int(f.capacity),
		Slots:      f.slots,
		Checksum:   f.crc,
		Users:      f.users,
		Patience:   f.patience,
		Rendezvous: f.rendezvous,
		Wait:       f.wait,
		Label:      "producer",
		Sync:       f.sync,
		Retain:     f.retain,
		Notice:     func(text string) { c.note("%s: %s", f.url, text) },
	})
	if err != nil {
		return err
	}
	sum.Medium = c.chosen(f.url, f.medium, p)
	ctx, forget := withConsumer(sig.stop, p)
	defer forget()
	w := &publisher{
		p:      p,
		ctx:    ctx,
		header: transport.Header{Type: uint16(f.typ)},
		max:    p.MaxRecord(),
		batch:  f.batch,
		meets:  f.rendezvous,
	}
	if f.progress || !f.json && isTerminal(c.w) && (f.generated || !isTerminal(stdin)) {
		w.live = &tally{}
		c.progress(w.live.line("published"))
	}
	err = transport.Guard(func() error { return waitConsumers(f, w, c) })
	start := time.Now()
	if err == nil {
		err = transport.Guard(func() error {
			if f.generated {
				return generateRecords(f, w)
			}
			if f.rate > 0 {
				w.pace = newPace(f.rate)
			}
			return publishInput(stdin, f.split, w)
		})
	}
	if interrupted(err) && ctx.Err() != nil {
		err = nil // of a consumer that has gone, Drain or Close tells
	}
	w.live.set("waiting until consumers have everything")
	if !errors.Is(err, transport.ErrTruncated) { // else nobody will have everything
		err = errors.Join(err, transport.Guard(func() error { return drain(sig.now, p, f.drain) }))
	}
	sum.Published, sum.Bytes, sum.Seconds = w.published, w.bytes, seconds(time.Since(start))
	if st, serr := p.Stats(); serr == nil {
		sum.Evicted, sum.Fence = st.Producer.Evictions, st.Producer.Fence
	}
	return errors.Join(err, p.Close())
}

// withConsumer ends a context when the medium has one consumer and that has
// gone: who waits for input would not hear of it.
func withConsumer(ctx context.Context, p transport.Producer) (context.Context, context.CancelFunc) {
	one, ok := p.(interface{ Gone() <-chan struct{} })
	if !ok {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-one.Gone():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// waitConsumers waits for -consumers; only a signal ends that.
func waitConsumers(f producerFlags, w *publisher, c *console) error {
	if f.consumers == 0 {
		return nil
	}
	if st, err := w.p.Stats(); err == nil && st.Slots > 0 && f.consumers > st.Slots {
		return fmt.Errorf("%w: -consumers %d, the ring has %d: give -slots", transport.ErrNoSlot, f.consumers, st.Slots)
	}
	w.live.set("waiting for " + count(uint64(f.consumers), "consumer"))
	defer w.live.set("")
	err := w.p.WaitConsumers(w.ctx, f.consumers)
	if errors.Is(err, errors.ErrUnsupported) {
		c.note("%s: cannot count consumers: not waiting for %d", f.url, f.consumers)
		return nil
	}
	return err
}

func generateRecords(f producerFlags, w *publisher) error {
	if f.size > size(w.max) {
		return fmt.Errorf("%w: -size %d, the ring takes at most %d: give a larger -capacity", errRecordTooLong, f.size, w.max)
	}
	err := generator{count: f.gen, size: int(f.size), rate: f.rate}.run(w)
	return errors.Join(err, w.flush())
}

// drain waits until the consumers that gate have everything, for limit at the
// most; 0: not at all.
func drain(ctx context.Context, p transport.Producer, limit time.Duration) error {
	if limit == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := p.Drain(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("-drain %v was not enough: %w", limit, err)
	}
	return err
}

// seconds has microseconds, so that a summary stays readable.
func seconds(d time.Duration) float64 {
	s, _ := strconv.ParseFloat(strconv.FormatFloat(d.Seconds(), 'f', 6, 64), 64)
	return s
}
