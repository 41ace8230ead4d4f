package frame_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/carousel-ipc/carousel/frame"
)

func Example() {
	var stream bytes.Buffer
	w := frame.NewWriter(&stream, frame.Preamble{Epoch: 1, First: 1})
	for i, s := range []string{"one", "two"} {
		if err := w.Write(frame.NewRecord(uint64(i+1), 0, frame.CRC, []byte(s))); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}

	r := frame.NewReader(&stream, 1<<20)
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s\n", rec.Sequence, rec.Payload())
	}
	// Output:
	// 1 one
	// 2 two
}

func ExampleAppend() {
	fmt.Printf("% x", frame.Append(nil, frame.NewRecord(1, 2, 0, []byte("hi"))))
	// Output: 01 00 00 00 00 00 00 00 02 00 00 00 02 00 00 00 68 69 00 00 00 00 00 00 00 00 00 00 00 00 00 00
}

func ExampleDecode() {
	b := frame.Append(nil, frame.NewRecord(41, 0, frame.CRC, []byte("forty-one")))
	b = frame.Append(b, frame.NewRecord(42, 0, frame.CRC, []byte("forty-two")))
	b[len(b)-16] ^= 1 // one bit of the second payload

	for len(b) > 0 {
		r, n, err := frame.Decode(b, 1<<10)
		if errors.Is(err, frame.ErrChecksum) {
			fmt.Println("the checksum tells")
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s\n", r.Sequence, r.Payload())
		b = b[n:]
	}
	// Output:
	// 41 forty-one
	// the checksum tells
}

func ExampleMeta() {
	m := frame.MakeMeta(100, 7, frame.CRC)
	fmt.Println(m.Len(), m.Type(), m.Flags(), m.Size())
	fmt.Println(m.Check(64))
	// Output:
	// 100 7 CRC 128
	// frame: payload too large: wanted a payload of at most 64 bytes, found 100
}
