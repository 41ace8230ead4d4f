//go:build explore

package ring

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Mutants of the real code: each is a mistake that was made once or is near at
// hand, and each must be found by some test. All of them are put into one copy
// of the package, of which CAROUSEL_MUTANT picks one; the files themselves stay
// as they are (go test -overlay).
type mutant struct {
	name  string
	by    string // tests of which one finds it
	edits []edit
}

// In an edit, MUTANT stands for "this is the one".
type edit struct{ file, old, new string }

const (
	schedules = "TestEveryScheduleKeepsThePromises/"
	everyKill = "TestKilledAtEveryStore"
)

var mutants = []mutant{
	{"flag before publish", schedules + "each_record", []edit{
		{"producer.go", "		// The zero ends the batch", "		for _, c := range p.gates.calls {\n			if MUTANT && load32(c.waiting) != 0 {\n				p.rouse(&p.gates.list[c.gate])\n			}\n		}\n		// The zero ends the batch"},
		{"producer.go", "			if load32(c.waiting) != 0 {\n", "			if !(MUTANT) && load32(c.waiting) != 0 {\n"},
	}},
	{"no look after waiting was set", schedules + "each_record", []edit{
		{"wait.go", "bound := c.fenceSleep()\n		if err := c.look(); err != nil || c.there() {", "bound := c.fenceSleep()\n		if MUTANT {\n		} else if err := c.look(); err != nil || c.there() {"},
	}},
	{"bell read after the look", schedules + "each_record", []edit{
		{"wait.go", "		timeout := kernel.Wait(bell, rung, bound)", "		if MUTANT {\n			rung = load32(bell)\n		}\n		timeout := kernel.Wait(bell, rung, bound)"},
	}},
	{"waiting cleared after the bell", schedules + "each_record", []edit{
		{"gates.go", "	store32(g.waiting, 0)\n	ringBell(g.bell)\n", "	if !(MUTANT) {\n		store32(g.waiting, 0)\n	}\n	ringBell(g.bell)\n	if MUTANT {\n		store32(g.waiting, 0)\n	}\n"},
	}},
	{"woken before the bell moves", schedules + "each_record", []edit{
		{"gates.go", "	add32(bell, 1)\n	kernel.Wake(bell)\n", "	if MUTANT {\n		kernel.Wake(bell)\n		add32(bell, 1)\n		return\n	}\n	add32(bell, 1)\n	kernel.Wake(bell)\n"},
	}},
	{"commit before the payload", schedules + "each_record", []edit{
		{"producer.go", "	if pos != p.pos {\n		plain64(p.commitWord(pos), p.seq)", "	if pos != p.pos || MUTANT {\n		plain64(p.commitWord(pos), p.seq)"},
	}},
	{"length after commit", schedules + "each_record", []edit{
		{"producer.go", "	plain64(p.metaWord(pos), uint64(m))\n	if pos", "	if mutantMeta = m; !(MUTANT) || pos != p.pos {\n		plain64(p.metaWord(pos), uint64(m))\n	}\n	if pos"},
		{"producer.go", "		pos, seq := p.end, p.seq\n", "		if MUTANT {\n			plain64(p.metaWord(p.pos), uint64(mutantMeta))\n		}\n		pos, seq := p.end, p.seq\n"},
	}},
	{"no zero word", "TestProducerKilledAtEveryStoreLosesNothing", []edit{
		{"producer.go", "	plain64(zero, 0)\n", "	if !(MUTANT) {\n		plain64(zero, 0)\n	}\n"},
	}},
	{"lossy: no look at the horizon behind the copy", schedules + "a_lossy", []edit{
		{"release.go", "	if c.policy.kind != kindReliable {\n		if stale", "	if c.policy.kind != kindReliable && !(MUTANT) {\n		if stale"},
	}},
	{"deadline: no look at the evicted behind the copy", schedules + "a_consumer_with_a_deadline", []edit{
		{"release.go", "		err = c.evictedNow()", "		if !(MUTANT) {\n			err = c.evictedNow()\n		}"},
	}},
	{"deadline: the horizon instead of the evicted", schedules + "(a_consumer_with|a_deadline)|TestDeadline", []edit{
		{"release.go", "	switch c.policy.kind {\n	case kindLossy:\n		fenceLoad()", "	if MUTANT && c.policy.kind == kindDeadline {\n		return c.passed(c.cursor), nil\n	}\n	switch c.policy.kind {\n	case kindLossy:\n		fenceLoad()"},
	}},
	{"cursor not clamped from below", "TestCursorsAreClamped", []edit{
		{"gates.go", "g.cursor = max(g.cursor, min(cursor, p.pos))", "g.cursor = mutantPick(MUTANT, min(cursor, p.pos), max(g.cursor, min(cursor, p.pos)))"},
	}},
	{"cursor not clamped from above", "TestCursorsAreClamped", []edit{
		{"gates.go", "			slowest = min(slowest, g.cursor)", "			if MUTANT {\n				g.cursor = max(g.cursor, cursor)\n			}\n			slowest = min(slowest, g.cursor)"},
	}},
	{"horizon without a resume point", everyKill, []edit{
		{"credit.go", "		p.storePoint(resumeAt(p.copy), point{p.first, p.pos})\n		p.horizon = target\n", "		if !(MUTANT) {\n			p.storePoint(resumeAt(p.copy), point{p.first, p.pos})\n		}\n		p.horizon = target\n"},
	}},
	{"resume point after the horizon", everyKill, []edit{
		{"credit.go", "		// Where a successor resumes", "		if MUTANT {\n			fenced64(p.word(offHorizon), target)\n		}\n		// Where a successor resumes"},
	}},
	{"resume point over the valid one", everyKill, []edit{
		{"credit.go", "		p.copy ^= 1\n", "		if !(MUTANT) {\n			p.copy ^= 1\n		}\n"},
	}},
	{"horizon raised on every failed try", everyKill, []edit{
		{"credit.go", "		return false\n	}\n	target :=", "		if MUTANT {\n			p.copy ^= 1\n			p.storePoint(resumeAt(p.copy), point{p.first, p.pos})\n			p.horizon += step\n			fenced64(p.word(offHorizon), p.horizon)\n		}\n		return false\n	}\n	target :="},
	}},
	{"no second look at the cursors", schedules + "a_reliable", []edit{
		{"credit.go", "	p.limit = min(p.horizon, addSat(p.gate(), p.capacity))", "	if p.limit = min(p.horizon, room); !(MUTANT) {\n		p.limit = min(p.horizon, addSat(p.gate(), p.capacity))\n	}"},
	}},
	{"no look at the horizon when joining", schedules + "a_reliable", []edit{
		{"join.go", "		if c.passed(place.pos) {", "		if !(MUTANT) && c.passed(place.pos) {"},
	}},
	{"joins before generation", schedules + "a_consumer_joins", []edit{
		{"join.go", "			c.generation = load64(at(slotGeneration)) + 1\n", "			if MUTANT {\n				_ = c.backing.joined(c.slots)\n			}\n			c.generation = load64(at(slotGeneration)) + 1\n"},
		{"join.go", "			if err := c.backing.joined(c.slots); err != nil {", "			if MUTANT {\n			} else if err := c.backing.joined(c.slots); err != nil {"},
	}},
	{"stale epoch accepted", schedules + "the_end,_and", []edit{
		{"consumer.go", "epoch >= c.epoch {", "epoch >= c.epoch || MUTANT {"},
	}},
	{"epoch before state", schedules + "the_end,_and", []edit{
		{"recover.go", "	store64(p.word(offState), p.pos|stateOpen)\n	store64(p.word(offEpoch), p.epoch)\n", "	if MUTANT {\n		store64(p.word(offEpoch), p.epoch)\n	}\n	store64(p.word(offState), p.pos|stateOpen)\n	store64(p.word(offEpoch), p.epoch)\n"},
	}},
	{"death ignored while asleep", schedules + "the_producer_is_killed$", []edit{
		{"join.go", "		c.bell.ring()\n", "		if !(MUTANT) {\n			c.bell.ring()\n		}\n"},
	}},
	{"death told before a last look", schedules + "the_producer_is_killed", []edit{
		{"wait.go", "epoch == 0 || c.there()", "epoch == 0 || !(MUTANT) && c.there()"},
	}},
	{"takeover without the bells", schedules + "the_producer_is_killed,_and", []edit{
		{"recover.go", "	p.ringAll()\n", "	if !(MUTANT) {\n		p.ringAll()\n	}\n"},
	}},
	{"end without the bells", schedules + "the_end_without", []edit{
		{"producer.go", "|stateClosed)\n	p.ringAll()\n", "|stateClosed)\n	if !(MUTANT) {\n		p.ringAll()\n	}\n"},
	}},
	{"end without the state", schedules + "the_end_without", []edit{
		{"producer.go", "	store64(p.word(offState), p.pos|stateClosed)\n", "	if !(MUTANT) {\n		store64(p.word(offState), p.pos|stateClosed)\n	}\n"},
	}},
	{"evicted generation before its position", schedules + "a_consumer_with_a_deadline", []edit{
		{"gates.go", "	store64(p.word(at), g.cursor)\n", "	if MUTANT {\n		store64(p.word(at+8), g.generation)\n	}\n	store64(p.word(at), g.cursor)\n"},
	}},
	{"slot ignored, whoever owns it", schedules + "a_slot", []edit{
		{"gates.go", "generation == g.ignored[slot] ||", "generation == g.ignored[slot] || MUTANT && g.ignored[slot] != 0 ||"},
	}},
	{"joined dead, its notice spent", schedules + "a_consumer_is_killed", []edit{
		{"credit.go", "		if p.dead(g) {", "		if !(MUTANT) && p.dead(g) {"},
	}},
	{"death notice does not end the producer's sleep", schedules + "the_only_consumer", []edit{
		{"producer.go", "		p.alarm.ring()\n	})", "		if !(MUTANT) {\n			p.alarm.ring()\n		}\n	})"},
	}},
	{"wakeAt above P0", schedules + "a_producer_waits", []edit{
		{"credit.go", "min(target+p.capacity/8, p.pos))", "mutantPick(MUTANT, target+p.capacity/8, min(target+p.capacity/8, p.pos)))"},
	}},
	{"no look at wakeAt on release", schedules + "a_ring", []edit{
		{"release.go", "old < wakeAt && wakeAt <= to {", "old < wakeAt && wakeAt <= to && !(MUTANT && to != left) {"},
	}},
	{"no look at wakeAt on leaving", schedules + "a_consumer_in_the_way", []edit{
		{"release.go", "old < wakeAt && wakeAt <= to", "old < wakeAt && wakeAt <= to && !(MUTANT && to == left)"},
	}},
	{"no look at the cursor after wakeAt", schedules + "a_(ring|consumer_in)", []edit{
		{"credit.go", "			continue // look again behind the fence\n", "			if !(MUTANT) {\n				continue // look again behind the fence\n			}\n"},
		{"credit.go", "	cursor := load64(g.cursorWord)\n	if cursor >= target {\n", "	cursor := load64(g.cursorWord)\n	if cursor >= target && !(MUTANT) {\n"},
	}},
	{"alarm read before the sleep", schedules + "the_producer('s|_is_closed)", []edit{
		{"credit.go", "uint32(cursor), alarm, bound)", "uint32(cursor), uint32(mutantPick(MUTANT, uint64(p.alarm.load()), uint64(alarm))), bound)"},
	}},
	{"views waited for are no error", schedules + "a_full_ring", []edit{
		{"wait.go", "	if c.viewed > 0 && c.cursor <", "	if c.viewed > 0 && !(MUTANT) && c.cursor <"},
	}},
	{"those waited for are not rung", schedules + "a_full_ring", []edit{
		{"credit.go", "g.cursor < target && load32(g.waiting) != 0 {", "g.cursor < target && !(MUTANT) && load32(g.waiting) != 0 {"},
	}},
	{"checkpoint before commit", everyKill, []edit{
		{"producer.go", "	if p.fenced {\n", "	if MUTANT && len(p.marks) > 0 {\n		p.checkpoint()\n	}\n	if p.fenced {\n"},
	}},
	{"points of two words", schedules + "a_(reliable|lossy)", []edit{
		{"points.go", "p.seq == last &&", "(p.seq == last || MUTANT) &&"},
	}},
	{"filler where the record fits exactly", "TestLargestRecord", []edit{
		{"producer.go", "off+size > p.capacity {\n		pad", "off+size > p.capacity || MUTANT && off+size == p.capacity {\n		pad"},
	}},
	{"a batch that never fits waits", "TestAPI", []edit{
		{"producer.go", "		if need > p.pos+p.capacity {", "		if need > p.pos+p.capacity && !(MUTANT) {"},
	}},
	{"length loaded twice", "TestHostileMemory", []edit{
		{"consumer.go", "		off, n, size := c.pos", "		if MUTANT {\n			m = frame.Meta(load64(c.metaWord(c.pos)))\n		}\n		off, n, size := c.pos"},
	}},
	{"length of a record not checked", "TestHostileMemory", []edit{
		{"consumer.go", "n > c.maxPayload || off+size > c.capacity ||", "!(MUTANT) && (n > c.maxPayload || off+size > c.capacity) ||"},
	}},
	{"length of a plain record loaded twice", "TestHostileMemory", []edit{
		{"consumer.go", "		n := uint64(uint32(m))\n", "		if MUTANT {\n			m = frame.Meta(load64(c.metaWord(pos)))\n		}\n		n := uint64(uint32(m))\n"},
	}},
	{"length of a plain record not checked", "TestHostileMemory", []edit{
		{"consumer.go", "n > uint64(c.maxPayload) || end > c.capacity {", "!(MUTANT) && (n > uint64(c.maxPayload) || end > c.capacity) {"},
	}},
	{"length of a plain record of Records not checked", "TestHostileMemory", []edit{
		{"records.go", "n > most || end > capacity {", "!(MUTANT) && (n > most || end > capacity) {"},
	}},
	{"a usual record beyond the end of the ring", "TestForetoldLengthIsChecked", []edit{
		{"consumer.go", "m != c.usual || off+c.stride > c.capacity {", "m != c.usual || !(MUTANT) && off+c.stride > c.capacity {"},
		{"consumer.go", "m == c.usual && at+c.stride <= c.capacity {", "m == c.usual && (MUTANT || at+c.stride <= c.capacity) {"},
	}},
	{"a usual record of Records beyond the end of the ring", "TestForetoldLengthIsChecked", []edit{
		{"records.go", "if m != usual || off+stride > capacity {", "if m != usual || !(MUTANT) && off+stride > capacity {"},
	}},
	{"a plain record where there is no credit", "TestNothingIsStagedBeyondCredit", []edit{
		{"producer.go", "p.plain = min(p.plain, p.limit-frame.HeaderSize)", "p.plain = mutantPick(MUTANT, p.plain, min(p.plain, p.limit-frame.HeaderSize))"},
	}},
	{"a plain record across the end of the ring", "TestNothingIsStagedBeyondCredit", []edit{
		{"producer.go", "		p.plain = p.mark\n", "		p.plain = mutantPick(MUTANT, ^uint64(0), p.mark)\n"},
	}},
	{"length of a sealed record not checked", "TestHostileMemory", []edit{
		{"producer.go", "		if err != nil || end > p.end {\n", "		if MUTANT {\n			end = pos + uint64(m.Size())\n		} else if err != nil || end > p.end {\n"},
	}},
}

// Mistakes that no test under sequential consistency can find: each is a
// missing fence, or a plain store where order is needed. They are mutants of
// the abstract model, whose memory is weaker.
var unseen = []string{
	"row 5, 6: no fence between horizon and cursors, or cursor and horizon",
	"row 11, 12: no fence or membarrier between waiting and commit",
	"row 13, 14: none between cursor and wakeAt",
	"row 7, 8: no load fence between payload and horizon, or evicted",
	"row 1, 3, 15, 16, 17: plain stores instead of release stores",
	"fence dropped before the mode says so, or taken up after",
}

const mutantCode = `package ring

import (
	"os"
	"strconv"

	"github.com/carousel-ipc/carousel/frame"
)

var mutantNow, _ = strconv.Atoi(os.Getenv("CAROUSEL_MUTANT"))

var mutantMeta frame.Meta

func mutantPick(is bool, wrong, right uint64) uint64 {
	if is {
		return wrong
	}
	return right
}
`

// TestMutants needs the go command and the sources.
func TestMutants(t *testing.T) {
	if os.Getenv("CAROUSEL_MUTANT") != "" {
		t.Skip("SKIP: this is a mutant itself")
	}
	start := time.Now()
	binary := buildMutants(t)
	t.Logf("built in %v", time.Since(start).Round(time.Millisecond))
	if by, out := killer(binary, 0, everyKill+"|TestHostile|TestBatch|"+schedules+"each_record"); by != "" {
		t.Fatalf("without a mutant: %s\n%s", by, out)
	}
	alive := 0
	for i, m := range mutants {
		begin := time.Now()
		by, out := killer(binary, i+1, m.by)
		if by == "" {
			t.Errorf("%s survives %s:\n%s", m.name, m.by, out)
			by = "SURVIVES"
			alive++
		}
		t.Logf("%-50s %-100s %6v", m.name, by, time.Since(begin).Round(10*time.Millisecond))
	}
	for _, name := range unseen {
		t.Logf("%-50s the abstract model", name)
	}
	t.Logf("mutants: %d of %d killed, %v", len(mutants)-alive, len(mutants), time.Since(start).Round(time.Millisecond))
}

// killer runs tests on a mutant and names the one that fails first, or is
// still running after a while.
func killer(binary string, mutant int, tests string) (by, out string) {
	cmd := exec.Command(binary, "-test.run", tests, "-test.failfast", "-test.timeout", "20s", "-seed", "1", "-rapid.seed", "1", "-rapid.nofailfile")
	cmd.Env = append(os.Environ(), fmt.Sprint("CAROUSEL_MUTANT=", mutant))
	b, err := cmd.CombinedOutput()
	if err == nil {
		return "", string(b)
	}
	by = "ends with " + err.Error()
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			by, _, _ = strings.Cut(name, " ")
		}
		if strings.Contains(line, "panic: test timed out") {
			return "no end", string(b)
		}
	}
	return by, string(b)
}

func buildMutants(t *testing.T) (binary string) {
	dir := t.TempDir()
	sources := map[string]string{}
	for i, m := range mutants {
		for _, e := range m.edits {
			if _, ok := sources[e.file]; !ok {
				b, err := os.ReadFile(e.file)
				must(t, err)
				sources[e.file] = string(b)
			}
			if n := strings.Count(sources[e.file], e.old); n != 1 {
				t.Fatalf("%s: %s has %d places to change, want 1: %q", m.name, e.file, n, e.old)
			}
			sources[e.file] = strings.Replace(sources[e.file], e.old, strings.ReplaceAll(e.new, "MUTANT", fmt.Sprintf("mutantNow == %d", i+1)), 1)
		}
	}
	sources["mutants.go"] = mutantCode
	here, err := os.Getwd()
	must(t, err)
	replace := map[string]string{}
	for file, text := range sources {
		to := filepath.Join(dir, file)
		must(t, os.WriteFile(to, []byte(text), 0o600))
		replace[filepath.Join(here, file)] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	must(t, err)
	overlay := filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(overlay, b, 0o600))
	binary = filepath.Join(dir, "mutants.test")
	cmd := exec.Command("go", "test", "-c", "-tags", "explore", "-overlay", overlay, "-vet=off", "-o", binary, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the mutants: %v\n%s", err, out)
	}
	return binary
}
