package ring

import "testing"

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
