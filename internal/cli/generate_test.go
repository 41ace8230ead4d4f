package cli

import (
	"slices"
	"testing"
)

func TestVerifyTakesWhatGenerateMakes(t *testing.T) {
	for _, n := range []int{minGenerated, minGenerated + 1, 31, 32, 33, 64, 1000, 70_001} {
		for _, seq := range []uint64{1, 2, 255, 1 << 32, 1<<64 - 1} {
			b := make([]byte, n)
			generate(b, seq, 12345)
			if !verify(b, seq) {
				t.Errorf("record %d of %d bytes is refused", seq, n)
			}
			if verify(b, seq-1) || verify(b, seq+1) {
				t.Errorf("record %d of %d bytes passes for a neighbour", seq, n)
			}
			if age, ok := generatedAge(b, seq, 12399); !ok || age != 54 {
				t.Errorf("record %d of %d bytes has the age %d, %v; want 54", seq, n, age, ok)
			}
		}
	}
}

func TestVerifySeesEveryFlippedBit(t *testing.T) {
	for _, n := range []int{minGenerated, 29, 64, 200} {
		b := make([]byte, n)
		generate(b, 77, 987654321)
		for i := range n * 8 {
			b[i/8] ^= 1 << (i % 8)
			if verify(b, 77) {
				t.Errorf("%d bytes: bit %d flipped, and nobody notices", n, i)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
}

func TestVerifySeesTornRecords(t *testing.T) {
	const n = 256
	a, b := make([]byte, n), make([]byte, n)
	generate(a, 10, 1)
	generate(b, 11, 2)
	for cut := 1; cut < n; cut++ {
		torn := append(slices.Clone(a[:cut]), b[cut:]...)
		if verify(torn, 10) || verify(torn, 11) {
			t.Errorf("two records cut at %d and joined pass for one", cut)
		}
	}
	for cut := range n {
		if verify(a[:cut], 10) {
			t.Errorf("the first %d of %d bytes pass for all", cut, n)
		}
	}
	if verify(make([]byte, n), 0) {
		t.Error("zeros pass for a record")
	}
}
