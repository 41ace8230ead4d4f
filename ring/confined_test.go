//go:build linux && !carousel_portable

package ring

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/internal/confined"
	"github.com/carousel-ipc/carousel/internal/seccomp"
)

// A producer and two consumers, each a process in a place of its own: with
// system calls refused, in containers, as other users. In every place
//
//   - all records are delivered, though everybody sleeps all the time and no
//     sleep has a bound: a lost wake would be a hang;
//   - a cancelled context and Close end a sleep at once;
//   - a kill of either side is told to the other at once;
//   - who pays for the fence between publishing and sleeping is agreed on.
func init() {
	confined.Enter()
	roles["confined producer"] = confinedProducer
	roles["confined consumer"] = confinedConsumer
}

const (
	confinedCount = 1200
	lateFilter    = "FILTER" // installed when the ring is in use
)

// asks is what the parent tells a child, a line each; its end ends the child.
func asks() (ask func() string) {
	lines := make(chan string, 1)
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			lines <- in.Text()
		}
		os.Exit(3)
	}()
	return func() string { return <-lines }
}

func confineLate() error {
	text := os.Getenv(lateFilter)
	if text == "" {
		return nil
	}
	var f seccomp.Filter
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return err
	}
	return seccomp.Install(f)
}

// late is how long after the call of end a sleep that it ends has ended.
func late(end func(), sleep func() error, want error) (time.Duration, error) {
	began := make(chan time.Time, 1)
	time.AfterFunc(10*time.Millisecond, func() {
		began <- time.Now()
		end()
	})
	if err := sleep(); !errors.Is(err, want) {
		return 0, fmt.Errorf("a sleep ended with %v, want %v", err, want)
	}
	return time.Since(<-began), nil
}

func confinedProducer() error {
	sleepBound = -1
	wakesToFence(math.MaxUint64) // only who has to pay does
	ask := asks()
	cfg := Config{Capacity: 1 << 14}
	var r *Ring
	var err error
	switch os.Getenv("MEDIUM") {
	case "served":
		r, err = Listen(os.Getenv("RING"), ServeConfig{Config: cfg, Users: confinedUsers(), Patience: -1})
	case "file":
		r, err = CreateFile(os.Getenv("RING"), cfg)
	default:
		r, err = Create(os.Getenv("RING"), cfg)
	}
	if err != nil {
		return err
	}
	wait, err := ParseWait(os.Getenv("WAIT"))
	if err != nil {
		return err
	}
	p, err := r.NewProducer(ProducerConfig{Wait: wait})
	if err != nil {
		return err
	}
	closed, err := closeFull(wait)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	ask()
	ctx := context.Background()
	if err := p.WaitConsumers(ctx, 2); err != nil {
		return err
	}
	start := time.Now()
	for i := range confinedCount {
		if i == confinedCount/8 {
			if err := confineLate(); err != nil {
				return err
			}
		}
		var before Stats
		if i == confinedCount*3/4 {
			if before, err = p.Stats(); err != nil {
				return err
			}
		}
		if _, err := p.Write(pattern(p.Sequence(), killSize(p.Sequence()))); err != nil {
			return err
		}
		switch { // now the one sleeps, now the other, and once both do in any case
		case i == confinedCount*3/4:
			if err := slept(p, before); err != nil {
				return err
			}
		case i%16 == 0:
			time.Sleep(200 * time.Microsecond)
		case i%8 == 0:
			if err := p.Drain(ctx); err != nil {
				return err
			}
		}
	}
	took := time.Since(start)
	st, err := p.Stats()
	if err != nil {
		return err
	}
	// One consumer has stopped reading: once the ring is full, this sleeps.
	n := p.MaxRecord()
	fill := func(ctx context.Context) error {
		for {
			if _, err := p.Reserve(ctx, n); err != nil {
				return err
			}
			if err := p.Commit(); err != nil {
				return err
			}
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	ended, err := late(cancel, func() error { return fill(cancelled) }, context.Canceled)
	if err != nil {
		return err
	}
	fmt.Println(st.Producer.Fence, took, closed, ended)
	ask() // the consumer is about to be killed
	if _, err := p.Reserve(ctx, n); err != nil {
		return err
	}
	fmt.Println("freed")
	if err := p.Commit(); err != nil {
		return err
	}
	select {} // until killed
}

// slept waits until every consumer has gone to sleep once more than before.
func slept(p *Producer, before Stats) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		now, err := p.Stats()
		if err != nil {
			return err
		}
		awake := 0
		for i, c := range now.Consumers {
			if c.Waits <= before.Consumers[i].Waits {
				awake++
			}
		}
		switch {
		case awake == 0:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%d of %d consumers did not sleep for 10 s", awake, len(now.Consumers))
		}
	}
}

func confinedUsers() (users []uint32) {
	if n, err := strconv.ParseUint(os.Getenv("USERS"), 10, 32); err == nil {
		users = append(users, uint32(n))
	}
	return users
}

// closeFull closes a producer that sleeps for want of credit.
func closeFull(wait Wait) (time.Duration, error) {
	r, err := Anonymous(Config{Capacity: MinCapacity})
	if err != nil {
		return 0, err
	}
	c, err := r.NewConsumer(ConsumerConfig{})
	if err != nil {
		return 0, err
	}
	p, err := r.NewProducer(ProducerConfig{Wait: wait})
	if err != nil {
		return 0, err
	}
	d, err := late(func() { _ = p.Close() }, func() error {
		for {
			if _, err := p.Write(make([]byte, 500)); err != nil {
				return err
			}
		}
	}, os.ErrClosed)
	return d, errors.Join(err, c.Close(), r.Close())
}

func confinedConsumer() error {
	sleepBound = -1
	ask := asks()
	wait, err := ParseWait(os.Getenv("WAIT"))
	if err != nil {
		return err
	}
	ctx := context.Background()
	c, err := confinedJoin(ctx, wait)
	if err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	ended, err := late(cancel, func() error { _, err := c.Next(cancelled); return err }, context.Canceled)
	if err != nil {
		return err
	}
	closed, err := late(func() { _ = c.Close() }, func() error { _, err := c.Next(ctx); return err }, os.ErrClosed)
	if err != nil {
		return err
	}
	if c, err = confinedJoin(ctx, wait); err != nil {
		return err
	}
	fmt.Println(ended, closed)
	for seq := uint64(1); seq <= confinedCount; seq++ {
		if seq == confinedCount/4 {
			if err := confineLate(); err != nil {
				return err
			}
		}
		rec, err := c.Next(ctx)
		if err != nil {
			return err
		}
		if rec.Sequence != seq || !bytes.Equal(rec.Payload(), pattern(seq, killSize(seq))) {
			return fmt.Errorf("record %d of %d bytes, want %d of %d", rec.Sequence, len(rec.Payload()), seq, killSize(seq))
		}
		if seq%32 == 0 {
			time.Sleep(200 * time.Microsecond)
		}
		if err := c.Release(); err != nil {
			return err
		}
	}
	fmt.Println("all")
	if os.Getenv("HOLDS") != "" {
		ask()
		select {} // never: asked for nothing
	}
	for {
		if _, err := c.Next(ctx); errors.Is(err, ErrProducerDied) {
			break
		} else if err != nil {
			return err
		}
		if err := c.Release(); err != nil {
			return err
		}
	}
	fmt.Println("died")
	return nil
}

func confinedJoin(ctx context.Context, wait Wait) (*Consumer, error) {
	var r *Ring
	var err error
	switch name := os.Getenv("RING"); os.Getenv("MEDIUM") {
	case "served":
		r, err = Dial(ctx, name)
	case "file":
		r, err = OpenFile(name)
	default:
		r, err = Open(name)
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.NewConsumer(ConsumerConfig{Wait: wait})
}

// A pair is where a producer and its consumers are.
type pair struct {
	name               string
	producer, consumer confined.Place
	late               seccomp.Filter // on both, when the ring is in use
	users              string
	fence              string // who pays for it in the end
	media              []string
	needsRoot          bool
}

// pairs are all of them. memory is what containers have for /dev/shm.
func pairs(memory string) []pair {
	const (
		membarrier = unix.SYS_MEMBARRIER
		waitv      = unix.SYS_FUTEX_WAITV
	)
	both := func(name, fence string, f seccomp.Filter) pair {
		return pair{name: name, fence: fence, producer: confined.Place{Filter: f}, consumer: confined.Place{Filter: f}}
	}
	refuse := seccomp.Refuse
	list := []pair{
		both("everything allowed", "sleeper", nil),
		both("membarrier EPERM", "producer", refuse(unix.EPERM, membarrier)),
		both("membarrier ENOSYS", "producer", refuse(unix.ENOSYS, membarrier)),
		both("futex_waitv EPERM", "sleeper", refuse(unix.EPERM, waitv)),
		both("futex_waitv ENOSYS", "sleeper", refuse(unix.ENOSYS, waitv)),
		both("both EPERM", "producer", refuse(unix.EPERM, membarrier, waitv)),
		both("both ENOSYS", "producer", refuse(unix.ENOSYS, membarrier, waitv)),
		{name: "the producer without both", fence: "producer", producer: confined.Place{Filter: refuse(unix.EPERM, membarrier, waitv)}},
		{name: "the consumers without both", fence: "producer", consumer: confined.Place{Filter: refuse(unix.EPERM, membarrier, waitv)}},
		{name: "futex_waitv refused once in use", fence: "sleeper", late: refuse(unix.EPERM, waitv)},
		{name: "both refused once in use", fence: "producer", late: refuse(unix.EPERM, membarrier, waitv)},
		both("Docker", "sleeper", seccomp.Docker()),
		both("Docker before futex_waitv", "sleeper", seccomp.DockerBeforeWaitv()),
		both("Docker before membarrier", "producer", seccomp.DockerBeforeMembarrier()),
	}
	for i := range list {
		list[i].media = []string{"named", "served"}
	}
	shared := confined.Container(confined.Bind(memory, "/dev/shm"))
	users := shared
	users.Namespaces |= unix.CLONE_NEWUSER
	users.Outside = stranger
	docker := shared
	docker.Filter = seccomp.Docker()
	bare := shared
	bare.Mounts = append(slices.Clone(shared.Mounts), confined.Tmpfs("/proc", ""))
	all := []string{"named", "served", "file"}
	return append(list,
		pair{name: "two containers", fence: "sleeper", producer: shared, consumer: shared, media: all, needsRoot: true},
		pair{name: "two containers under Docker's filter", fence: "sleeper", producer: docker, consumer: docker, media: all, needsRoot: true},
		pair{name: "two containers with users of their own", fence: "sleeper", producer: users, consumer: users, media: all, needsRoot: true},
		pair{name: "two containers without /proc", fence: "sleeper", producer: bare, consumer: bare, media: all, needsRoot: true},
		pair{name: "the consumers in containers with users of their own", fence: "producer", consumer: users, users: fmt.Sprint(stranger), media: []string{"served"}, needsRoot: true},
	)
}

// stranger is who is 0 in user namespaces of these tests.
const stranger = 100_000

func TestConfined(t *testing.T) {
	if emulated() {
		t.Skip("SKIP: the emulator has neither filters nor namespaces")
	}
	base := filepath.Dir(socketPath(t)) // not t.TempDir: others have to reach it
	binary := filepath.Join(base, "binary")
	text, err := os.ReadFile(os.Args[0])
	must(t, err)
	must(t, os.WriteFile(binary, text, 0o755))
	var took durations
	every := confinedEvery
	if testing.Short() {
		every = max(every, 3)
	}
	t.Run("pairs", func(t *testing.T) {
		for i, p := range pairs("") {
			for _, medium := range p.media {
				if i%every != 0 {
					continue
				}
				wait := []Wait{Block, Adaptive}[(i+len(medium))%2]
				t.Run(fmt.Sprintf("%s, %s, %v", p.name, medium, wait), func(t *testing.T) {
					t.Parallel()
					if p.needsRoot && os.Geteuid() != 0 {
						t.Skip("SKIP: needs root, to make namespaces")
					}
					folder, err := os.MkdirTemp(base, "")
					must(t, err)
					memory, err := os.MkdirTemp("/dev/shm", "carousel-test-")
					must(t, err)
					t.Cleanup(func() { _ = os.RemoveAll(memory) })
					must(t, os.Chmod(folder, 0o755))
					if p.producer.Namespaces&unix.CLONE_NEWUSER != 0 {
						must(t, errors.Join(os.Chown(folder, stranger, stranger), os.Chown(memory, stranger, stranger)))
					}
					confine(t, pairs(memory)[i], medium, wait, folder, binary, &took)
				})
			}
		}
	})
	took.judge(t)
}

func confine(t *testing.T, p pair, medium string, wait Wait, folder, binary string, took *durations) {
	ring := filepath.Join(folder, "s")
	if medium == "named" {
		ring = filepath.Base(filepath.Dir(folder)) + "-" + filepath.Base(folder) // in the host's /dev/shm, or in the containers'
		t.Cleanup(func() {
			_, _ = os.Remove("/dev/shm/"+ring+".ring"), os.Remove("/dev/shm/"+ring+".slots")
		})
	}
	filter, err := json.Marshal(p.late)
	must(t, err)
	start := func(place confined.Place, role string, env ...string) *confinedChild {
		env = append(env, "RING="+ring, "MEDIUM="+medium, "WAIT="+wait.String(), "USERS="+p.users)
		if p.late != nil {
			env = append(env, lateFilter+"="+string(filter))
		}
		return startConfined(t, place, binary, role, env)
	}
	producer := start(p.producer, "confined producer")
	if said := producer.hear(); said != "ready" {
		t.Fatalf("the producer said %q, want ready", said)
	}
	holds := start(p.consumer, "confined consumer", "HOLDS=1")
	reads := start(p.consumer, "confined consumer")
	for _, c := range []*confinedChild{holds, reads} {
		took.add(t, p.name, "consumer cancelled and closed", c.hear())
	}
	producer.tell()
	for _, c := range []*confinedChild{holds, reads} {
		if said := c.hear(); said != "all" {
			t.Fatalf("a consumer said %q, want all", said)
		}
	}
	fence, times, _ := strings.Cut(producer.hear(), " ")
	all, times, _ := strings.Cut(times, " ")
	took.add(t, p.name, "producer closed and cancelled", times)
	if fence != p.fence {
		t.Errorf("the fence is paid by the %s, want the %s", fence, p.fence)
	}
	producer.tell()
	time.Sleep(5 * time.Millisecond) // most likely asleep by now
	killed := time.Now()
	must(t, holds.cmd.Process.Kill())
	if said := producer.hear(); said != "freed" {
		t.Fatalf("the producer said %q, want freed", said)
	}
	took.add(t, p.name, "consumer killed", time.Since(killed).String())
	time.Sleep(5 * time.Millisecond)
	killed = time.Now()
	must(t, producer.cmd.Process.Kill())
	if said := reads.hear(); said != "died" {
		t.Fatalf("a consumer said %q, want died", said)
	}
	took.add(t, p.name, "producer killed", time.Since(killed).String())
	must(t, reads.cmd.Wait())
	t.Logf("%d records in %s", confinedCount, all)
}
