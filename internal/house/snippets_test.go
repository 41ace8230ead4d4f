package house

import (
	"fmt"
	"path"
	"strings"
	"testing"
)

// strayCode judges Go in documents: each block is a piece of an example, which
// the compiler has seen.
func strayCode(all []source) (findings []string) {
	var examples []string
	for _, s := range goFiles(all) {
		if within(s.dir(), "examples") || strings.Contains(path.Base(s.path), "example") && s.test() {
			examples = append(examples, unindented(s.text))
		}
	}
	for _, s := range all {
		if !isDocument(s) {
			continue
		}
		var block strings.Builder
		begun := 0
		number := 0
		for line := range strings.Lines(s.text) {
			number++
			switch trimmed := strings.TrimSpace(line); {
			case begun == 0 && trimmed == "```go":
				begun = number
				block.Reset()
			case begun > 0 && trimmed == "```":
				if code := unindented(block.String()); !containsAny(examples, code) {
					findings = append(findings, fmt.Sprintf("%s:%d: wanted Go that stands in an example, found\n%s", s.path, begun, code))
				}
				begun = 0
			case begun > 0:
				block.WriteString(line)
			}
		}
	}
	return findings
}

// unindented takes indentation and runs of spaces away: gofmt aligns comments
// with their neighbours, of which a document may have others.
func unindented(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			b.WriteString("\n" + line)
		}
	}
	return b.String() + "\n"
}

func containsAny(texts []string, part string) bool {
	for _, t := range texts {
		if strings.Contains(t, part) {
			return true
		}
	}
	return false
}

func TestGoInDocumentsStandsInAnExample(t *testing.T) { keeps(t, strayCode(tree(t))) }

func TestStrayCodeIsFound(t *testing.T) {
	example := newSource(t, "ring/example_test.go", "package ring_test\n\nfunc Example() {\n\ta := 1   // one\n\tb := 2\n\n\t_ = a + b\n}\n")
	for _, e := range []struct {
		name, code string
		want       int
	}{
		{"a piece", "a := 1 // one\nb := 2\n", 0},
		{"over an empty line", "b := 2\n_ = a + b\n", 0},
		{"not there", "a := 2\n", 1},
		{"half a line", "a :=\n", 1},
	} {
		t.Run(e.name, func(t *testing.T) {
			doc := newSource(t, "a.md", "# A\n\n```go\n"+e.code+"```\n\n```sh\nls\n```\n")
			if got := strayCode([]source{example, doc}); len(got) != e.want {
				t.Errorf("%d findings, wanted %d: %q", len(got), e.want, got)
			}
		})
	}
}
