package transport

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkLog is a log beside a plain file that is appended to: 64 KiB records
// one by one, and 64 B records in batches of 1024, against a write of each.
func BenchmarkLog(b *testing.B) {
	for _, size := range []struct {
		name         string
		bytes, batch int
	}{{"64KiB", 64 << 10, 1}, {"64B", 64, 1024}} {
		b.Run(size.name+"/log", func(b *testing.B) {
			dir := b.TempDir()
			p, err := Create("log://"+filepath.ToSlash(dir), ProducerConfig{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size.bytes))
			for i := 0; b.Loop(); i++ {
				if _, err := p.TryReserve(Header{}, size.bytes); err != nil {
					b.Fatal(err)
				}
				if (i+1)%size.batch == 0 {
					if err := p.Commit(); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := p.Close(); err != nil {
				b.Fatal(err)
			}
		})
		b.Run(size.name+"/plain", func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			buf := make([]byte, size.bytes)
			b.SetBytes(int64(size.bytes))
			for b.Loop() {
				if _, err := f.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
