package seglog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"strings"
	"unicode"
)

// state is what a producer leaves in the file of that name, in one sector and
// without a sync: a state that is old or torn only costs the reading of more.
//
//	| magic u64 | version u32 | length of the text u32 | boot id 16 bytes | durable u64 | zero 20 bytes | text 64 bytes | CRC32C u32 |
type state struct {
	boot [16]byte
	// durable: all segments that begin before this sequence are on the disk,
	// unless recovery cut them off.
	durable uint64
	owner   string // for people
}

const (
	stateMagic   = 0x31474f4c53524143 // "CARSLOG1"
	stateVersion = 1
	stateSize    = 128
	stateText    = 60
	maxOwner     = 64
)

func (s state) bytes() []byte {
	b := make([]byte, stateSize)
	owner := s.owner[:min(len(s.owner), maxOwner)]
	binary.LittleEndian.PutUint64(b, stateMagic)
	binary.LittleEndian.PutUint32(b[8:], stateVersion)
	binary.LittleEndian.PutUint32(b[12:], uint32(len(owner)))
	copy(b[16:], s.boot[:])
	binary.LittleEndian.PutUint64(b[32:], s.durable)
	copy(b[stateText:], owner)
	binary.LittleEndian.PutUint32(b[stateSize-4:], crc32.Checksum(b[:stateSize-4], castagnoli))
	return b
}

func decodeState(b []byte) (s state, ok bool) {
	if len(b) < stateSize || binary.LittleEndian.Uint64(b) != stateMagic ||
		binary.LittleEndian.Uint32(b[8:]) != stateVersion ||
		binary.LittleEndian.Uint32(b[stateSize-4:]) != crc32.Checksum(b[:stateSize-4], castagnoli) {
		return s, false
	}
	copy(s.boot[:], b[16:])
	s.durable = binary.LittleEndian.Uint64(b[32:])
	n := min(binary.LittleEndian.Uint32(b[12:]), maxOwner)
	s.owner = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(string(b[stateText:stateText+n]), "?"))
	return s, true
}

// loadState is the zero state where there is none that can be believed.
func loadState(d disk) state {
	f, err := d.open(stateName, false)
	if err != nil {
		return state{}
	}
	defer f.Close()
	b := make([]byte, stateSize)
	n, _ := f.ReadAt(b, 0)
	s, _ := decodeState(b[:n])
	return s
}

func openState(d disk) (file, error) {
	f, err := d.create(stateName)
	if errors.Is(err, fs.ErrExist) {
		return d.open(stateName, true)
	}
	return f, err
}
