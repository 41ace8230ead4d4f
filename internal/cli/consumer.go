package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carousel-ipc/carousel/transport"
)

// consumerFlags is a consumer's command line, checked.
type consumerFlags struct {
	url, medium string

	split    splitting
	policy   transport.Policy
	from     transport.Start
	since    time.Time
	n        uint64
	typ      recordType
	typed    bool // typ was given
	verify   bool
	latency  bool
	wait     transport.Wait
	connect  time.Duration
	linger   time.Duration
	follow   bool
	name     string
	progress bool
	json     bool
}

func parseConsumer(args []string, stdout io.Writer) (consumerFlags, error) {
	f := consumerFlags{connect: 10 * time.Second, n: unlimited}
	fs := flagSet("consumer")
	fs.Var(&f.split, "split", "")
	fs.Func("policy", "", func(s string) (err error) { f.policy, err = transport.ParsePolicy(s); return hint(err) })
	fs.Func("from", "", f.setFrom)
	fs.Uint64Var(&f.n, "n", f.n, "")
	fs.Var(&f.typ, "type", "")
	fs.BoolVar(&f.verify, "verify", false, "")
	fs.BoolVar(&f.latency, "latency", false, "")
	fs.Func("wait", "", func(s string) (err error) { f.wait, err = transport.ParseWait(s); return hint(err) })
	fs.DurationVar(&f.connect, "connect", f.connect, "")
	fs.DurationVar(&f.linger, "linger", 0, "")
	fs.BoolVar(&f.follow, "follow", false, "")
	fs.StringVar(&f.name, "name", "", "")
	fs.BoolVar(&f.progress, "progress", false, "")
	fs.BoolVar(&f.json, "json", false, "")
	if err := parseFlags(fs, args, stdout, consumerUsage); err != nil {
		return f, err
	}
	if err := f.check(fs); err != nil {
		return f, err
	}
	var err error
	f.url, f.medium, err = onlyURL(fs)
	switch {
	case err != nil:
	case f.medium == "log" && !given(fs, "from"):
		f.from = transport.Oldest
	case f.medium != "log" && !f.since.IsZero():
		err = usagef("-from time=T is about log:, found %s:", f.medium)
	}
	return f, err
}

// setFrom reads -from.
func (f *consumerFlags) setFrom(s string) (err error) {
	f.since, f.from = time.Time{}, transport.Start{}
	if strings.HasPrefix(s, "time=") {
		f.since, err = transport.ParseSince(s)
	} else {
		f.from, err = transport.ParseStart(s)
	}
	return hint(err)
}

// measures: no records are printed.
func (f *consumerFlags) measures() bool { return f.verify || f.latency }

// check finds what no single flag's parser can.
func (f *consumerFlags) check(fs *flag.FlagSet) error {
	f.typed = given(fs, "type")
	switch {
	case f.n == 0:
		return usagef("-n 0: want 1 or more")
	case f.measures() && given(fs, "split"):
		return usagef("-split says how to print records, and -verify and -latency print none")
	case f.connect < 0:
		return usagef("-connect %v: want 0 or more", f.connect)
	case f.linger < 0:
		return usagef("-linger %v: want 0 or more", f.linger)
	case given(fs, "name") && !goodName(f.name):
		return usagef("-name %q: want 1 to %d bytes of text without control characters", f.name, transport.MaxName)
	}
	return nil
}

func goodName(s string) bool {
	if s == "" || len(s) > transport.MaxName || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

// Consumer is the command: args without the program's name. It returns the
// exit code.
func Consumer(args []string, stdout, stderr io.Writer) int {
	f, err := parseConsumer(args, stdout)
	if err != nil {
		return refuse("consumer", err, stderr)
	}
	c := newConsole(stderr, "consumer")
	sig := watchSignals(func() { printStats(c, f.url) })
	defer sig.close()

	run := &consumption{f: f, console: c, sig: sig}
	err = run.run(stdout)
	c.quiet()
	quietly := readerGone(err)
	if quietly || errors.Is(err, errEnough) || interrupted(err) && sig.stop.Err() != nil {
		err = nil
	}
	if t, ok := run.sink.(*text); ok && t.cut && err == nil {
		c.note("%s: records that came in parts, and not all parts, were left out", f.url)
	}
	if m, ok := run.sink.(*measure); ok && m.latency != nil && m.whole == 0 && m.alien > 0 {
		c.note("%s: no record carried the generator's time, so there is no latency", f.url)
	}
	sum := run.summary(err)
	if f.json || !quietly {
		summarize(c, sum, f.json)
	}
	return run.code(err, sum)
}

// consumption is one run of the consumer.
type consumption struct {
	f       consumerFlags
	console *console
	sig     *interrupts

	c        transport.Consumer
	sink     sink
	receiver receiver
	name     string
	medium   string    // what an auto URL came to
	begun    time.Time // the first record
	seconds  float64
	// Producers: those of attachments that are over, and the first of this one.
	epochs, firstEpoch uint64
	// Where the last attachment that is over stood.
	epoch, next uint64
}

// run attaches, receives until the end, and detaches. io.EOF is a clean end
// and returned as nil.
func (k *consumption) run(stdout io.Writer) (err error) {
	f := k.f
	if f.measures() {
		k.sink = newMeasure(f.verify, f.latency)
	} else {
		k.sink = newText(k.sig.stop, f.split, newOutput(stdout), func() uint64 { return k.c.Epoch() })
	}
	clean := false
	defer func() {
		err = errors.Join(err, k.sink.end(clean, k.epoch, k.next))
	}()

	if err := k.attach(k.sig.stop, f.connect, f.from, f.since); err != nil {
		return err
	}
	k.receiver = receiver{
		ctx:     k.sig.stop,
		c:       k.c,
		sink:    k.sink,
		account: account{filtered: f.typed, unordered: f.medium == "mq"},
		limit:   f.n,
		most:    batchRecords,
		begun:   func() { k.begun = time.Now() },
	}
	r := &k.receiver
	if f.progress || !f.json && isTerminal(k.console.w) && (f.measures() || !isTerminal(stdout)) {
		r.live = &tally{}
		k.console.progress(r.live.line("received"))
	}
	for {
		err = transport.Guard(r.receive)
		switch {
		case err == io.EOF && f.follow:
			err = transport.Guard(func() error { return k.successor(0) })
		case errors.Is(err, transport.ErrProducerDied) && f.linger > 0:
			k.console.note("%s: producer died after record %d; waiting up to %v for the next one", f.url, k.c.Sequence()-1, f.linger)
			err = transport.Guard(func() error { return k.successor(f.linger) })
		}
		if err != nil {
			break
		}
	}
	if clean = err == io.EOF; clean {
		err = nil
	}
	if !k.begun.IsZero() {
		k.seconds = seconds(time.Since(k.begun))
	}
	return errors.Join(err, k.detach())
}

// attach opens the URL, waiting at most d.
func (k *consumption) attach(ctx context.Context, d time.Duration, from transport.Start, since time.Time) error {
	cfg := transport.ConsumerConfig{Name: k.f.name, Policy: k.f.policy, From: from, Since: since, Wait: k.f.wait}
	if k.f.typed {
		cfg.Types = []uint16{uint16(k.f.typ)}
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	c, err := transport.Open(ctx, k.f.url, cfg)
	if err != nil {
		return err
	}
	k.c, k.name, k.firstEpoch = c, c.Stats().Name, c.Epoch()
	k.medium = k.console.chosen(k.f.url, k.f.medium, c)
	return nil
}

// detach leaves, if it did not yet, and adds up the producers of this
// attachment.
func (k *consumption) detach() error {
	if k.c == nil {
		return nil
	}
	k.epoch, k.next = k.c.Epoch(), k.c.Sequence()
	k.epochs += k.epoch - k.firstEpoch + 1
	c := k.c
	k.c = nil
	return c.Close()
}

// successor waits, at most limit, or for ever if that is 0, until another
// producer goes on, here or under the same URL. Its error after limit is
// ErrProducerDied.
func (k *consumption) successor(limit time.Duration) error {
	ctx := k.sig.stop
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	} else {
		limit = 100 * 365 * 24 * time.Hour
	}
	k.receiver.live.set("waiting for the next producer")
	defer k.receiver.live.set("")
	if err := k.sink.idle(); err != nil {
		return err
	}
	err := k.c.WaitProducer(ctx)
	if errors.Is(err, transport.ErrRemoved) {
		if err := k.detach(); err != nil {
			return err
		}
		if err = k.attach(ctx, limit, transport.Oldest, time.Time{}); err == nil {
			k.receiver.another(k.c)
			return nil
		}
	}
	if err == nil {
		k.sink.seam()
		if beginsAnew(k.f.medium) {
			k.receiver.account.seam()
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w, and no other came within %v", transport.ErrProducerDied, limit)
	}
	return err
}

// beginsAnew tells whether the next producer of a medium counts from 1, although
// its consumers stay attached.
func beginsAnew(medium string) bool { return medium == "udp" || medium == "mq" }

// summary is what to tell of the run that ended with err.
func (k *consumption) summary(err error) consumerSummary {
	a := &k.receiver.account
	s := consumerSummary{
		URL: k.f.url, Medium: cmp.Or(k.medium, k.f.medium), Name: k.name, Policy: k.f.policy.String(),
		Received: a.received, Bytes: a.bytes, Seconds: k.seconds,
		Lost: a.lost, FirstLost: a.firstLost, LastLost: a.lastLost,
		Torn: a.torn, OutOfOrder: a.outOfOrder, Duplicates: a.duplicates,
		Epochs: k.epochs, Error: errorText(err),
	}
	if m, ok := k.sink.(*measure); ok {
		s.Torn += m.torn
		s.Latency = m.figures()
	}
	if s.Name == "" {
		s.Name = k.f.name
	}
	return s
}

// code is the exit code of the run that ended with err.
func (k *consumption) code(err error, s consumerSummary) int {
	switch {
	case k.sig.again.Load():
		return exitAgain
	case errors.Is(err, transport.ErrEvicted),
		s.Torn > 0, s.OutOfOrder > 0, s.Duplicates > 0,
		s.Lost > 0 && k.f.policy.Gates():
		return exitLoss
	case errors.Is(err, transport.ErrProducerDied):
		return exitDied
	case err != nil:
		return exitError
	}
	return exitOK
}
