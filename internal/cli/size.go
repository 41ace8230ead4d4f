package cli

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// size is a flag's number of bytes: digits, and KiB, MiB or GiB if wanted.
type size int64

var sizeUnits = []struct {
	suffix string
	bytes  uint64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

func (s *size) Set(text string) error {
	digits, unit := text, uint64(1)
	for _, u := range sizeUnits {
		if d, ok := strings.CutSuffix(text, u.suffix); ok {
			digits, unit = d, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || strings.HasPrefix(digits, "+") || n > math.MaxInt64/unit {
		return errors.New("want a number of bytes such as 4096, 64KiB, 8MiB or 1GiB")
	}
	*s = size(n * unit)
	return nil
}

// String writes the shortest form that Set reads back exactly.
func (s size) String() string {
	for _, u := range sizeUnits {
		if s > 0 && uint64(s)%u.bytes == 0 {
			return strconv.FormatUint(uint64(s)/u.bytes, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
