package cli

import "testing"

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		text string
		want size
		back string
	}{
		{"0", 0, "0"},
		{"1", 1, "1"},
		{"4096", 4096, "4KiB"},
		{"4097", 4097, "4097"},
		{"64KiB", 64 << 10, "64KiB"},
		{"1024KiB", 1 << 20, "1MiB"},
		{"8MiB", 8 << 20, "8MiB"},
		{"2GiB", 2 << 30, "2GiB"},
		{"8589934591GiB", 8589934591 << 30, "8589934591GiB"},
	} {
		var s size
		if err := s.Set(c.text); err != nil || s != c.want || s.String() != c.back {
			t.Errorf("%q: got %d (%v), %v; want %d (%s)", c.text, int64(s), s, err, int64(c.want), c.back)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "+1", "1.5MiB", "4kb", "4 KiB", "4Ki", "8MB", "0x10", "1_000", "9223372036854775808", "8589934592GiB"} {
		s := size(7)
		if err := s.Set(text); err == nil || s != 7 {
			t.Errorf("%q was taken as %d", text, int64(s))
		}
	}
}
