//go:build linux && !carousel_portable

package hostile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// users are those as whom everything is tried.
type users uint

const (
	other   users = 1 << iota // neither the producer's user nor the witness's, but admitted
	same                      // the producer's user
	guarded                   // the producer's user, and the producer is non-dumpable
	super                     // root

	none     users = 0
	anybody        = other | same | guarded | super
	holder         = same | super           // who may trace the producer
	owner          = same | guarded | super // who may end what is the user's
	superior       = super
)

// An attempt is one thing to try. What counts is not what the kernel answers
// but whether others are harmed: a byte of the ring that changes, a record that
// is corrupt or does not come, a newcomer that is turned away, a producer that
// cannot go on.
type attempt struct {
	id   string
	says string // what is tried
	may  users  // as whom it may harm others: the stated boundary
	try  func(a *attacker) (string, error)
}

// attempts is the table, by groups.
var attempts = slices.Concat(memoryAttempts, fileAttempts, slotAttempts, sleepAttempts, socketAttempts, processAttempts)

// A column is the table as one of the users.
type column struct {
	as      users
	name    string
	user    uint32
	guarded bool // the producer
	level   string
}

var columns = []column{
	{other, "other user", nobody, false, "T1"},
	{same, "same user", producerUser, false, "T3, dumpable: not promised"},
	{guarded, "same user, guarded", producerUser, true, "T3, a user ends what is his own"},
	{super, "root", root, false, "T4"},
}

// TestAttackMatrix is H2: every attempt as every user.
func TestAttackMatrix(t *testing.T) {
	needRoot(t)
	if len(attempts) < 40 {
		t.Fatalf("%d attempts, want at least 40", len(attempts))
	}
	table := map[string][]string{}
	succeeded, outside := 0, []string{}
	for _, col := range columns {
		t.Run(col.name, func(t *testing.T) {
			c := newCrew(t, col)
			for _, a := range attempts {
				said, harm := c.put(a)
				cell := said
				if harm != "" {
					succeeded++
					cell += " => HARM " + harm
					if a.may&col.as == 0 || col.guarded && strings.HasPrefix(harm, toData) {
						outside = append(outside, a.id+" as "+col.name)
						t.Errorf("%s (%s): %s", a.id, a.says, cell)
					} else {
						cell += " (" + col.level + ")"
					}
				}
				table[a.id] = append(table[a.id], fmt.Sprintf("%-18s  %s", col.name, cell))
			}
		})
	}
	t.Log(written(table))
	verdict := "all inside the stated boundary"
	if len(outside) > 0 {
		verdict = "OUTSIDE: " + strings.Join(outside, ", ")
	}
	t.Logf("%d attempts x %d users: %d succeeded, %s", len(attempts), len(columns), succeeded, verdict)
}

func written(table map[string][]string) string {
	var b strings.Builder
	for i, a := range attempts {
		fmt.Fprintf(&b, "\n%2d %s: %s. May harm: %s\n", i+1, a.id, a.says, a.may)
		for _, cell := range table[a.id] {
			fmt.Fprintf(&b, "     %s\n", cell)
		}
	}
	return b.String()
}

func (u users) String() string {
	var names []string
	for _, col := range columns {
		if u&col.as != 0 {
			names = append(names, col.name)
		}
	}
	if names == nil {
		return "nobody"
	}
	return strings.Join(names, "; ")
}

// A crew is a producer, an honest consumer and an attacker. Of one that was
// harmed nothing more is to be learnt: another one comes in its place.
type crew struct {
	t                          *testing.T
	col                        column
	scene                      *scene
	generation                 int
	producer, honest, attacker *player
	next                       uint64 // sequence of the next record
}

// After each attempt so many records are put, a batch at a time, that they are
// more than a lap; a batch is less, so that the producer has no reason to wait.
const (
	crewCapacity = 64 << 10
	batch        = 100
	batches      = 3
)

func newCrew(t *testing.T, col column) *crew {
	c := &crew{t: t, col: col, scene: newScene(t)}
	c.assemble()
	return c
}

func (c *crew) assemble() {
	c.t.Helper()
	c.generation++
	path := c.scene.socket(fmt.Sprint("s", c.generation))
	env := []string{"SOCKET=" + path, fmt.Sprint("CAPACITY=", crewCapacity), "WAIT=block",
		fmt.Sprint("USERS=", honestUser, " ", nobody, " ", root), "PATIENCE=50ms", "DISTRUST=1", "POLICY=deadline=50ms"}
	if c.col.guarded {
		env = append(env, "GUARDED=1")
	}
	c.producer = c.scene.start(producerUser, "producer", env...)
	c.honest = c.scene.start(honestUser, "honest", env...)
	c.attacker = c.scene.start(c.col.user, "attacker", append(env,
		fmt.Sprint("PRODUCER=", c.producer.pid()), fmt.Sprint("HONEST=", c.honest.pid()))...)
	_, err := c.producer.do(enough, "wait", 2)
	must(c.t, err)
	c.next = 1
	must(c.t, c.lap(c.tellRead(), enough))
}

// tellRead has the witness wait for a batch, and says up to which record.
func (c *crew) tellRead() uint64 {
	to := c.next - 1 + batch
	c.honest.tell("read", to)
	return to
}

// lap has more than a lap published and read, while the witness waits for
// the first batch of it.
func (c *crew) lap(to uint64, within time.Duration) error {
	for n := range batches {
		if n > 0 {
			to = c.tellRead()
		}
		next, err := c.producer.do(within, "put", batch)
		if err != nil {
			return fmt.Errorf("to the producer: %w", err)
		}
		if c.next = to + 1; next != fmt.Sprint(c.next) {
			return fmt.Errorf("to the producer: record %s is next, want %d", next, c.next)
		}
		if _, err := isOK(c.honest.hear("read", within)); err != nil {
			return fmt.Errorf("to a consumer: %w", err)
		}
	}
	return nil
}

func (c *crew) disband() {
	for _, p := range []*player{c.attacker, c.honest, c.producer} {
		p.end()
	}
}

// put has one attempt made, while the witness sleeps, and judges it.
func (c *crew) put(a attempt) (said, harm string) {
	c.t.Helper()
	before, err := c.honest.do(enough, "look")
	must(c.t, err)
	to := c.tellRead()
	said, err = c.attacker.ask(enough, "try", a.id)
	if err != nil {
		said = "the attacker is gone: " + err.Error()
	}
	gone := err != nil
	harm = c.judge(a, before, to)
	// Harm that may be done may also come later: no other attempt is blamed.
	if gone || harm != "" || a.may&c.col.as != 0 {
		_, _ = c.attacker.ask(time.Second, "undo") // of what outlives processes
		c.disband()
		c.assemble()
		return said, harm
	}
	if _, err := c.attacker.do(enough, "undo"); err != nil {
		c.t.Fatalf("%s: undoing it: %v", a.id, err)
	}
	return said, ""
}

// toData is how the worst harm begins: it is never within the boundary while the
// producer is guarded.
const toData = "to data"

// judge says what is wrong.
func (c *crew) judge(a attempt, before string, to uint64) string {
	within := enough
	if a.may&c.col.as != 0 {
		within = 300 * time.Millisecond // it is expected
	}
	after, err := c.honest.do(within, "look")
	switch {
	case err != nil:
		return "to the witness: " + err.Error()
	case after != before:
		return toData + ": the ring's bytes changed"
	}
	if err := c.lap(to, within); err != nil {
		return err.Error()
	}
	if _, err := c.honest.do(within, "call"); err != nil {
		return "to newcomers: " + err.Error()
	}
	if _, err := c.producer.do(within, "serve"); err != nil {
		return "to other producers in the folder: " + err.Error()
	}
	return ""
}
