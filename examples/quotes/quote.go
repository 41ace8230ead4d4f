package main

import (
	"encoding/binary"
	"fmt"
)

// A quote is 16 bytes on the ring: an instrument and its price in hundredths.
type quote struct {
	instrument uint64
	price      uint64
}

const (
	quoteSize   = 16
	instruments = 8
)

func (q quote) put(b []byte) {
	binary.LittleEndian.PutUint64(b, q.instrument)
	binary.LittleEndian.PutUint64(b[8:], q.price)
}

// readQuote checks what it is given: whoever reads a ring believes its bytes
// no more than those of a socket.
func readQuote(b []byte) (quote, error) {
	if len(b) != quoteSize {
		return quote{}, fmt.Errorf("a quote of %d bytes, want %d", len(b), quoteSize)
	}
	q := quote{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
	if q.instrument >= instruments {
		return q, fmt.Errorf("instrument %d, want one below %d", q.instrument, instruments)
	}
	return q, nil
}

func (q quote) String() string {
	return fmt.Sprintf("instrument %d at %d.%02d", q.instrument, q.price/100, q.price%100)
}
