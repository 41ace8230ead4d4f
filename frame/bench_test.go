package frame

import (
	"fmt"
	"testing"
)

var benchSizes = []int{0, 64, 1024, 64 << 10}

func BenchmarkChecksum(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprintf("size=%d", n), func(b *testing.B) {
			p := pattern(n)
			b.SetBytes(int64(HeaderSize + n))
			for b.Loop() {
				Checksum(1, MakeMeta(n, 0, CRC), p)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, f := range []Flags{0, CRC} {
		for _, n := range benchSizes {
			b.Run(fmt.Sprintf("flags=%v/size=%d", f, n), func(b *testing.B) {
				r := NewRecord(1, 0, f, pattern(n))
				buf := make([]byte, 0, Size(n, f))
				b.SetBytes(int64(cap(buf)))
				b.ReportAllocs()
				for b.Loop() {
					buf = Append(buf[:0], r)
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, f := range []Flags{0, CRC} {
		for _, n := range benchSizes {
			b.Run(fmt.Sprintf("flags=%v/size=%d", f, n), func(b *testing.B) {
				buf := Append(nil, NewRecord(1, 0, f, pattern(n)))
				b.SetBytes(int64(len(buf)))
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := Decode(buf, n); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
