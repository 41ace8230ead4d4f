// Package vectors reads golden vectors from a document, so that what people
// read is what tests hold the code to.
package vectors

import (
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// Read returns the vectors of a Markdown file by name. A vector is a fenced
// block of the language hex: hexadecimal bytes, and comments from # on. The
// first line is "# NAME" or "# NAME: what it is".
func Read(file string) (map[string][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parse(string(text))
}

func parse(text string) (map[string][]byte, error) {
	found := map[string][]byte{}
	number := 0
	var name string
	var digits strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case !inside && line == "```hex":
			inside, name = true, ""
			digits.Reset()
		case !inside:
		case line == "```":
			inside = false
			b, err := hex.DecodeString(digits.String())
			if err != nil {
				return nil, fmt.Errorf("line %d: vector %q: %w", number, name, err)
			}
			if _, twice := found[name]; twice || name == "" || len(b) == 0 {
				return nil, fmt.Errorf("line %d: wanted a vector with bytes and a name of its own, found %d bytes named %q", number, len(b), name)
			}
			found[name] = b
		default:
			bytes, comment, _ := strings.Cut(line, "#")
			if name == "" {
				name, _, _ = strings.Cut(strings.TrimSpace(comment), ":")
			}
			digits.WriteString(strings.Join(strings.Fields(bytes), ""))
		}
	}
	if inside {
		return nil, fmt.Errorf("vector %q: wanted an end of the block, found that of the file", name)
	}
	return found, nil
}
