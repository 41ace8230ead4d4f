package frame

import (
	"fmt"
	"strings"
)

var flagNames = []struct {
	flag Flags
	name string
}{{Pad, "PAD"}, {CRC, "CRC"}, {EOS, "EOS"}, {More, "MORE"}, {Cont, "CONT"}}

// String returns the names of the flags joined by "|", with those that have no
// name as one hexadecimal number, and "0" if there are none.
func (f Flags) String() string {
	if f == 0 {
		return "0"
	}
	var names []string
	for _, n := range flagNames {
		if f&n.flag != 0 {
			names = append(names, n.name)
			f &^= n.flag
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("0x%04x", uint16(f)))
	}
	return strings.Join(names, "|")
}
