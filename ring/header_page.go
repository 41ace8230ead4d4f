package ring

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/carousel-ipc/carousel/frame"
)

// Page 0 of both segments: what makes them a ring. It is written once, before
// anybody else can see it, and checked once by everybody who attaches.

// formatBroadcast makes an empty ring that begins at start. The magic comes last.
func formatBroadcast(s segment, geo geometry, id creationID, start point) {
	store32(s.w32(offVersion), layoutVersion)
	store32(s.w32(offByteOrder), byteOrder)
	store32(s.w32(offMust), 0)
	store32(s.w32(offMay), 0)
	store64(s.w64(offCapacity), geo.capacity)
	store64(s.w64(offMaxRecord), uint64(geo.maxPayload))
	store32(s.w32(offSlots), uint32(geo.slots))
	store32(s.w32(offRingFlags), uint32(geo.flags()))
	s.storeBytes(offCreation, id[:])
	store64(s.w64(offRing), geo.ringStart())
	store64(s.w64(offSize), geo.broadcastSize())

	a := attachment{geometry: geo, broadcast: s}
	a.storePoint(resumeAt(0), start)
	store64(s.w64(offHorizon), start.pos)
	store64(s.w64(offState), start.pos|stateOpen)
	store64(s.w64(offPublished), start.seq)
	store64(s.w64(offPosition), start.pos)
	store64(s.w64(offMagic), magic)
}

func formatSlots(s segment, geo geometry, id creationID) {
	store32(s.w32(offSlotVersion), layoutVersion)
	store32(s.w32(offSlotCount), uint32(geo.slots))
	s.storeBytes(offSlotCreation, id[:])
	for i := range geo.slots {
		store64(s.w64(slotAt(i)+slotCursor), left)
	}
	store64(s.w64(offSlotMagic), slotMagic)
}

// readGeometry checks the header in the first bytes of a broadcast segment, a
// page of them at least, and returns what it fixes.
func readGeometry(head []byte) (geometry, error) {
	var geo geometry
	if err := checkMachine(); err != nil {
		return geo, err
	}
	if len(head) < page {
		return geo, sizeError("header", page, uint64(len(head)))
	}
	u32 := func(off int) uint32 { return binary.LittleEndian.Uint32(head[off:]) }
	u64 := func(off int) uint64 { return binary.LittleEndian.Uint64(head[off:]) }
	refuse := func(what string, found, want any) (geometry, error) {
		return geometry{}, fmt.Errorf("%w: %s %v, want %v", ErrFormat, what, found, want)
	}
	m, o := u64(offMagic), u32(offByteOrder)
	if m == bits.ReverseBytes64(magic) || m == magic && o == bits.ReverseBytes32(byteOrder) {
		return refuse("byte order mark", fmt.Sprintf("%#08x (written by a big-endian machine)", o), fmt.Sprintf("%#08x (little-endian)", byteOrder))
	}
	if m != magic {
		return refuse("magic", fmt.Sprintf("%q", head[:8]), fmt.Sprintf("%q", binary.LittleEndian.AppendUint64(nil, magic)))
	}
	if o != byteOrder {
		return refuse("byte order mark", fmt.Sprintf("%#08x", o), fmt.Sprintf("%#08x", byteOrder))
	}
	if v := u32(offVersion); v != layoutVersion {
		return refuse("layout version", v, layoutVersion)
	}
	if must := u32(offMust); must&^knownMust != 0 {
		return refuse("features that have to be understood", fmt.Sprintf("%#x", must), fmt.Sprintf("no other than %#x", knownMust))
	}
	capacity, most, slots, flags := u64(offCapacity), u64(offMaxRecord), u32(offSlots), u32(offRingFlags)
	if flags&^uint32(frame.CRC) != 0 {
		return refuse("record flags", fmt.Sprintf("%#x", flags), "0 or CRC")
	}
	if capacity > maxCapacityHere || most > maxCapacityHere || slots == 0 || slots > MaxSlots || most == 0 {
		return refuse("geometry", fmt.Sprintf("of capacity %d, records of %d, %d slots", capacity, most, slots),
			fmt.Sprintf("at most %d, at least 1 and at most half of the capacity, 1 to %d", uint64(maxCapacityHere), MaxSlots))
	}
	geo, err := Config{Capacity: int(max(capacity, 1)), MaxRecord: int(most), Slots: int(slots), Checksum: flags != 0}.geometry()
	if err != nil {
		return geo, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if start, size := u64(offRing), u64(offSize); start != geo.ringStart() || size != geo.broadcastSize() {
		return refuse("places", fmt.Sprintf("ring at %d, size %d", start, size), fmt.Sprintf("ring at %d, size %d", geo.ringStart(), geo.broadcastSize()))
	}
	return geo, nil
}

func creationOf(head []byte) creationID { return creationID(head[offCreation : offCreation+16]) }

// checkSlots checks the header of a slot segment against the ring's.
func checkSlots(head []byte, geo geometry, id creationID) error {
	if uint64(len(head)) < page {
		return sizeError("slot header", page, uint64(len(head)))
	}
	if m := binary.LittleEndian.Uint64(head[offSlotMagic:]); m != slotMagic {
		return fmt.Errorf("%w: slot magic %q, want %q", ErrFormat, head[:8], binary.LittleEndian.AppendUint64(nil, slotMagic))
	}
	if v := binary.LittleEndian.Uint32(head[offSlotVersion:]); v != layoutVersion {
		return fmt.Errorf("%w: slot layout version %d, want %d", ErrFormat, v, layoutVersion)
	}
	if n := binary.LittleEndian.Uint32(head[offSlotCount:]); n != uint32(geo.slots) {
		return fmt.Errorf("%w: slot segment with %d slots, want %d", ErrFormat, n, geo.slots)
	}
	if found := creationID(head[offSlotCreation : offSlotCreation+16]); found != id {
		return fmt.Errorf("%w: slot segment of creation %x, want %x", errOtherCreation, found, id)
	}
	return nil
}

var errOtherCreation = fmt.Errorf("%w: segments of two rings", ErrFormat)
