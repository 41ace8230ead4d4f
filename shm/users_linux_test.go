package shm

import "testing"

func TestAllUsers(t *testing.T) {
	for text, want := range map[string]bool{
		"         0          0 4294967295\n": true,
		"0 0 1\n1 1 4294967294\n":            true,
		"         0     100000      65536\n": false,
		"":                                   false,
		"nonsense\n":                         false,
	} {
		if got := allUsers(text); got != want {
			t.Errorf("%q: %v, wanted %v", text, got, want)
		}
	}
	for text, want := range map[string]uint32{"65534\n": 65534, "99": 99, "": 65534, "-1": 65534} {
		if got := overflow(text); got != want {
			t.Errorf("%q: %d, wanted %d", text, got, want)
		}
	}
}
