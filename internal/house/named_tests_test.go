package house

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namedTests are the documents that name tests as their witnesses.
var namedTests = []string{"docs/media.md"}

var testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")

func TestWitnessesExist(t *testing.T) {
	var code strings.Builder
	for _, s := range goFiles(tree(t)) {
		if s.test() {
			code.WriteString(s.text)
		}
	}
	for _, doc := range namedTests {
		text, err := os.ReadFile(filepath.Join("..", "..", doc))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testName.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(code.String(), fmt.Sprintf("func %s(", m[1])) {
				t.Errorf("%s: wanted a test %s, found none", doc, m[1])
			}
		}
	}
}
