package frame

import "unsafe"

// View is the record with that header word, and with the first m.Len() bytes of
// b as its payload. With fewer in b it has none.
func View(seq uint64, m Meta, b []byte) Record {
	if len(b) < m.Len() {
		b = nil
	}
	return Record{Sequence: seq, Meta: m, data: unsafe.SliceData(b), room: cap(b)}
}

// Payload is the record's payload, in place. The capacity is that of the slice
// which the record was made with.
func (r Record) Payload() []byte {
	n := r.Meta.Len()
	if n > r.room {
		return nil
	}
	return unsafe.Slice(r.data, r.room)[:n]
}
