package frame

import "hash/crc32"

var (
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
	castagnoli8 = slicingTables(castagnoli)
)

// Checksum returns the CRC32C of the 16 bytes of the header and the payload.
// The header comes as the two words the caller has read or is about to write,
// so that the sequence need not be in memory yet, and so that a peer cannot
// change either between the check and the use.
func Checksum(seq uint64, m Meta, payload []byte) uint32 {
	// Header bytes on the stack would escape into hash/crc32, which calls
	// through a function variable; hence the words are done here.
	c := ^uint32(0)
	c = updateWord(c, seq)
	c = updateWord(c, uint64(m))
	return crc32.Update(^c, castagnoli, payload)
}

// checksum is Checksum of a frame whose header is in place, at the start of b,
// where nobody changes it meanwhile.
func checksum(b []byte, m Meta) uint32 {
	return crc32.Checksum(b[:HeaderSize+m.Len()], castagnoli)
}

// updateWord adds the 8 bytes of w, little-endian, to the (inverted) CRC c.
func updateWord(c uint32, w uint64) uint32 {
	w ^= uint64(c)
	t := castagnoli8
	return t[7][byte(w)] ^ t[6][byte(w>>8)] ^ t[5][byte(w>>16)] ^ t[4][byte(w>>24)] ^
		t[3][byte(w>>32)] ^ t[2][byte(w>>40)] ^ t[1][byte(w>>48)] ^ t[0][byte(w>>56)]
}

// slicingTables returns, as table k, the CRCs of each byte value followed by k
// zero bytes ("slicing by 8").
func slicingTables(t *crc32.Table) *[8]crc32.Table {
	tabs := &[8]crc32.Table{*t}
	for i := range 256 {
		c := t[i]
		for k := 1; k < 8; k++ {
			c = t[byte(c)] ^ c>>8
			tabs[k][i] = c
		}
	}
	return tabs
}
