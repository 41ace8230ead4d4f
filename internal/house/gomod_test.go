package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mayRequire are the modules the root module may require itself. Who imports
// Carousel gets them all in the graph, so anything heavy goes to a module of
// its own.
var mayRequire = []string{
	"golang.org/x/sys",
	"github.com/edsrzf/mmap-go",
	"github.com/google/go-cmp",
	"github.com/HdrHistogram/hdrhistogram-go",
	"pgregory.net/rapid",
	"github.com/anishathalye/porcupine",
	"go.uber.org/goleak",
	"github.com/rogpeppe/go-internal",
}

// testOnly are those no program may be linked with. The fuzz folder counts as
// a test.
var testOnly = []string{
	"github.com/google/go-cmp",
	"pgregory.net/rapid",
	"github.com/anishathalye/porcupine",
	"go.uber.org/goleak",
	"github.com/rogpeppe/go-internal",
}

// directRequires returns the modules that a go.mod requires without the
// comment "indirect".
func directRequires(text string) (modules []string) {
	block := false
	for line := range strings.Lines(text) {
		line, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[0] == "require" && len(words) > 1 && words[1] == "(":
			block = true
			continue
		case words[0] == ")":
			block = false
			continue
		case words[0] == "require":
			words = words[1:]
		case !block:
			continue
		}
		if len(words) > 0 && strings.TrimSpace(comment) != "indirect" {
			modules = append(modules, words[0])
		}
	}
	return modules
}

func foreignRequires(all []source) (findings []string) {
	for _, s := range all {
		if s.path != "go.mod" {
			continue
		}
		for _, m := range directRequires(s.text) {
			if !slices.Contains(mayRequire, m) {
				findings = append(findings, fmt.Sprintf("go.mod: wanted of modules only %v, found %s", mayRequire, m))
			}
		}
	}
	return findings
}

func testOnlyImports(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		if s.test() || within(s.dir(), "fuzz") {
			continue
		}
		for _, p := range s.imports() {
			if within(p, testOnly...) {
				findings = append(findings, fmt.Sprintf("%s: wanted %s in tests only, found it here", s.path, p))
			}
		}
	}
	return findings
}

func TestModuleRequiresLittle(t *testing.T) { keeps(t, foreignRequires(tree(t))) }

func TestTestModulesStayInTests(t *testing.T) { keeps(t, testOnlyImports(tree(t))) }

func TestForeignRequiresAreFound(t *testing.T) {
	tryRule(t, foreignRequires, []broken{
		{"none", "go.mod", "module a\n", 0},
		{"allowed", "go.mod", "module a\n\nrequire (\n\tgolang.org/x/sys v0.1.0\n)\n", 0},
		{"foreign, in a block", "go.mod", "module a\n\nrequire (\n\tgolang.org/x/sys v0.1.0\n\texample.com/b v1.0.0\n)\n", 1},
		{"foreign, on a line", "go.mod", "require example.com/b v1.0.0\n", 1},
		{"foreign, with a comment", "go.mod", "require example.com/b v1.0.0 // needed\n", 1},
		{"foreign, but indirect", "go.mod", "require example.com/b v1.0.0 // indirect\n", 0},
		{"another module's", "tools/go.mod", "require example.com/b v1.0.0\n", 0},
		{"after the block", "go.mod", "require (\n)\n\nretract v1.0.0\n", 0},
	})
}

func TestTestOnlyImportsAreFound(t *testing.T) {
	tryRule(t, testOnlyImports, []broken{
		{"in a test", "ring/a_test.go", importing("github.com/google/go-cmp/cmp"), 0},
		{"in the product", "ring/a.go", importing("github.com/google/go-cmp/cmp"), 1},
		{"in fuzz", "fuzz/a.go", importing("pgregory.net/rapid"), 0},
		{"another", "cmd/consumer/a.go", importing("github.com/HdrHistogram/hdrhistogram-go"), 0},
	})
}
