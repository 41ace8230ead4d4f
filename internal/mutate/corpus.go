package mutate

import (
	"bytes"
	"fmt"
	"reflect"
)

// encode writes an input in the form of the files of a corpus.
func encode(args []reflect.Value) []byte {
	var b bytes.Buffer
	b.WriteString("go test fuzz v1\n")
	for _, v := range args {
		switch v.Kind() {
		case reflect.Slice:
			fmt.Fprintf(&b, "[]byte(%q)\n", v.Bytes())
		case reflect.String:
			fmt.Fprintf(&b, "string(%q)\n", v.String())
		case reflect.Uint8:
			fmt.Fprintf(&b, "byte(%q)\n", rune(v.Uint()))
		default:
			fmt.Fprintf(&b, "%v(%v)\n", v.Type(), v)
		}
	}
	return b.Bytes()
}
