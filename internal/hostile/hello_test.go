//go:build linux && !carousel_portable

package hostile

import "encoding/binary"

// The hello of a consumer, made by hand: hostile ones do not use Dial.
const (
	wishPlace      = 1
	wishStatistics = 2
)

func helloBytes(wish uint32) []byte {
	b := binary.LittleEndian.AppendUint64(nil, 0x314c485353524143)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, wish)
	return append(b, make([]byte, 16)...)
}
