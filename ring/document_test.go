package ring

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/futex"
	"github.com/carousel-ipc/carousel/internal/vectors"
	"github.com/carousel-ipc/carousel/shm"
)

// The vectors of docs/format.md, all but those that package frame holds itself
// to, are what this package writes. A change of them is a change of the format,
// and of layoutVersion or handshakeVersion.
func TestDocumentShowsWhatIsWritten(t *testing.T) {
	shown, err := vectors.Read("../docs/format.md")
	must(t, err)

	written := map[string][]byte{}
	mem, geo := documented(t)
	slots := geo.broadcastSize()
	for name, off := range map[string]uint64{
		"segment-header":      0,
		"producer-points":     offHorizon,
		"producer-checkpoint": checkpointAt(0),
		"producer-state":      offState,
		"producer-statistics": offPublished,
		"ring":                geo.ringStart(),
		"slots-header":        slots,
		"slots-joins":         slots + offJoins,
		"slot-cursor":         slots + slotAt(0),
		"slot-free":           slots + slotAt(1),
		"slot-owner":          slots + slotAt(0) + slotGeneration,
	} {
		written[name] = mem[off : off+uint64(len(shown[name]))]
	}
	for name, h := range documentedHellos {
		written[name] = h.bytes()
	}
	for name, r := range documentedReplies {
		written[name] = r.bytes()
	}

	for name, b := range written {
		if want := shown[name]; len(want) == 0 || !bytes.Equal(b, want) {
			t.Errorf("%s:\n%swanted, by the document,\n%s", name, hex.Dump(b), hex.Dump(want))
		}
	}
	for name := range shown {
		if _, ok := written[name]; !ok && !strings.HasPrefix(name, "frame-") && name != "preamble" && name != "stream" {
			t.Errorf("no test holds the code to %s", name)
		}
	}
}

// documented makes the ring that the document shows.
func documented(t *testing.T) ([]byte, geometry) {
	t.Helper()
	t.Cleanup(futex.Restrict(true, true))
	geo, err := Config{Capacity: MinCapacity, Slots: 2, MaxRecord: 100, Checksum: true}.geometry()
	must(t, err)
	mem := make([]byte, geo.broadcastSize()+geo.slotsSize())
	id := creationID([]byte("sixteen bytes id"))
	formatSlots(segmentOf(mem[geo.broadcastSize():]), geo, id)
	formatBroadcast(segmentOf(mem), geo, id, point{seq: 1})
	r, err := Attach(mem)
	must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	p, err := r.NewProducer()
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	_, err = p.WriteType(7, []byte("hello"))
	must(t, err)
	c, err := r.NewConsumer(ConsumerConfig{Name: "risk", Policy: Deadline(time.Second)})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return mem, geo
}

var documentedHellos = map[string]hello{
	"hello": {version: handshakeVersion, wish: wishPlace},
}

var documentedReplies = map[string]reply{
	"reply-place":   {flags: flagManyUsers, slot: 3, size: 16384, patience: time.Millisecond, id: creationID([]byte("sixteen bytes id"))},
	"reply-refused": {code: codeNoSlot, text: "full"},
}

func TestDocumentedHandshakeIsUnderstood(t *testing.T) {
	if !shm.CanSeal {
		t.Skip("SKIP: no served rings on this system")
	}
	shown, err := vectors.Read("../docs/format.md")
	must(t, err)
	for name, want := range documentedHellos {
		got, err := readHello(bytes.NewReader(shown[name]))
		if err != nil || got != want || got.check() != nil {
			t.Errorf("%s: found %+v, %v, want %+v", name, got, err, want)
		}
	}
	for name, want := range documentedReplies {
		here, there := connected(t)
		_, err := there.Write(shown[name])
		must(t, err)
		must(t, there.Close())
		got, _, err := readReply(here, 0)
		if want.code != codeOK {
			if err == nil || !strings.Contains(err.Error(), want.text) {
				t.Errorf("%s: found error %v, want one with %q", name, err, want.text)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%s: found %+v, %v, want %+v", name, got, err, want)
		}
		if n, err := here.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: more than the reply: %d bytes, %v", name, n, err)
		}
	}
}

// connected are the two ends of a connection.
func connected(t *testing.T) (here, there *net.UnixConn) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "s"), Net: "unix"})
	must(t, err)
	defer l.Close()
	there, err = net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	must(t, err)
	here, err = l.AcceptUnix()
	must(t, err)
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}
