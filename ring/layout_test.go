package ring

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// Every word has a place of its own, aligned for its size.
func TestWordsDoNotOverlap(t *testing.T) {
	type word struct{ off, size uint64 }
	broadcast := []word{
		{offMagic, 8}, {offVersion, 4}, {offByteOrder, 4}, {offMust, 4}, {offMay, 4}, {offCapacity, 8}, {offMaxRecord, 8},
		{offSlots, 4}, {offRingFlags, 4}, {offCreation, 16}, {offRing, 8}, {offSize, 8},
		{offHorizon, 8}, {offResume, 2 * resumeBytes}, {offCheckpoint, checkpoints * checkpointBytes},
		{offState, 8}, {offEpoch, 8}, {offFenceMode, 4}, {offConsumers, 4}, {offBoot, 16},
		{offWakeAt, 8}, {offNeedAt, 8}, {offPublished, 8}, {offPosition, 8}, {offBytes, 8},
		{offCreditWaits, 8}, {offWaitingFor, 4}, {offWaitedFor, 4}, {offWakes, 8}, {offEvictions, 8},
		{offOwner, 4 + ownerBytes}, {offEvicted, MaxSlots * evictedBytes},
	}
	slot := []word{
		{slotCursor, 8}, {slotSequence, 8}, {slotReceived, 8}, {slotLost, 8},
		{slotGeneration, 8}, {slotPolicy, 4}, {slotExpedited, 4}, {slotDeadline, 8}, {slotBellBase, 4}, {slotNameLen, 4}, {slotName, MaxName},
		{slotWaiting, 4}, {slotBell, 4}, {slotNeedsFence, 4}, {slotWaits, 8},
	}
	for _, words := range [][]word{broadcast, slot} {
		for i, w := range words {
			if w.off%min(w.size, 8) != 0 && w.size <= 8 {
				t.Errorf("word at %d of %d bytes is not aligned", w.off, w.size)
			}
			if i > 0 && words[i-1].off+words[i-1].size > w.off {
				t.Errorf("word at %d begins within the one at %d", w.off, words[i-1].off)
			}
		}
	}
	if end := slot[len(slot)-1]; end.off+end.size > page {
		t.Error("a slot does not fit in its page")
	}
	for _, slots := range []int{1, 64, 256, 257, MaxSlots} {
		g := geometry{capacity: MinCapacity, slots: slots}
		if g.ringStart()%page != 0 || g.ringStart() < evictedAt(slots) {
			t.Errorf("%d slots: ring begins at %d", slots, g.ringStart())
		}
	}
}

// The bytes of a small ring after one record, frozen: a change of the format
// is a change of this test and of layoutVersion.
func TestFormatIsFrozen(t *testing.T) {
	geo, err := Config{Capacity: MinCapacity, Slots: 1, MaxRecord: 100, Checksum: true}.geometry()
	must(t, err)
	mem := make([]byte, geo.broadcastSize()+geo.slotsSize())
	var id creationID
	copy(id[:], "sixteen bytes id")
	formatSlots(segmentOf(mem[geo.broadcastSize():]), geo, id)
	formatBroadcast(segmentOf(mem), geo, id, point{seq: 1})
	r, err := Attach(mem)
	must(t, err)
	defer r.Close()
	p, err := r.NewProducer()
	must(t, err)
	defer p.Close()
	_, err = p.WriteType(7, []byte("hello"))
	must(t, err)
	for _, tc := range []struct {
		what string
		off  uint64
		want string
	}{
		{"header", 0, "43415253524e4731" + "01000000" + "04030201" + "00000000" + "00000000" + "0010000000000000" + "6400000000000000" +
			"01000000" + "02000000" + "7369787465656e206279746573206964" + "0030000000000000" + "0040000000000000"},
		{"horizon", offHorizon, "0001000000000000"},
		{"resume", offResume, "0100000000000000" + "0000000000000000" + "0100000000000000"},
		{"checkpoint", offCheckpoint, "0100000000000000" + "0000000000000000" + "0100000000000000"},
		{"state, epoch", offState, "0100000000000000" + "0100000000000000"},
		{"published", offPublished, "0200000000000000" + "2000000000000000" + "0500000000000000"},
		{"frame", geo.ringStart(), "0100000000000000" + "05000000" + "0700" + "0200" + "68656c6c6f000000" + "7e9eaff8" + "00000000" + "0000000000000000"},
		{"slot header", geo.broadcastSize(), "43415253534c5431" + "01000000" + "01000000" + "7369787465656e206279746573206964"},
		{"slot", geo.broadcastSize() + slotAt(0), "ffffffffffffffff"},
	} {
		want, err := hex.DecodeString(tc.want)
		must(t, err)
		if got := mem[tc.off : tc.off+uint64(len(want))]; !bytes.Equal(got, want) {
			t.Errorf("%s:\nfound %x\nwant  %x", tc.what, got, want)
		}
	}
}
