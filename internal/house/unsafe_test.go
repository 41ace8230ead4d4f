package house

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const systems = "linux|darwin|windows|freebsd|openbsd|netbsd|dragonfly|solaris|illumos|aix|android|ios|js|plan9|wasip1"

var (
	// unsafeName is how a file that imports unsafe is called.
	unsafeName = regexp.MustCompile(`_unsafe(_(` + systems + `))?(_test)?$`)
	// freeName is how it must not be called: go build sees no system there.
	freeName = regexp.MustCompile(`_(` + systems + `)_unsafe(_test)?$`)
)

// layoutMay is all that files of a layout may take from unsafe.
var layoutMay = []string{"Sizeof", "Offsetof"}

func misplacedUnsafe(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		if slices.Contains(s.imports(), "C") {
			findings = append(findings, s.path+`: wanted pure Go, found import "C"`)
		}
		if freeName.MatchString(s.base()) {
			findings = append(findings, s.path+": wanted _unsafe before the system in the name, found it behind, where the system constrains nothing")
		}
		if !slices.Contains(s.imports(), "unsafe") || unsafeName.MatchString(s.base()) {
			continue
		}
		if !strings.Contains(s.base(), "layout") {
			findings = append(findings, s.path+": wanted unsafe in files named *_unsafe.go or *_unsafe_GOOS.go, found it here")
			continue
		}
		findings = append(findings, beyondLayout(s)...)
	}
	return findings
}

func beyondLayout(s source) (findings []string) {
	for _, spec := range s.syntax.Imports {
		if spec.Path.Value == `"unsafe"` && spec.Name != nil {
			findings = append(findings, s.at(spec)+": wanted unsafe under its own name in a layout file, found "+spec.Name.Name)
		}
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && isName(sel.X, "unsafe") && !slices.Contains(layoutMay, sel.Sel.Name) {
			findings = append(findings, fmt.Sprintf("%s: wanted of unsafe only %v in a layout file, found %s", s.at(sel), layoutMay, sel.Sel.Name))
		}
		return true
	})
	return findings
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func TestUnsafeStandsWhereItMay(t *testing.T) { keeps(t, misplacedUnsafe(tree(t))) }

func TestMisplacedUnsafeIsFound(t *testing.T) {
	const use = "package a\n\nimport \"unsafe\"\n\nvar p unsafe.Pointer\n"
	tryRule(t, misplacedUnsafe, []broken{
		{"plain name", "a/word.go", use, 1},
		{"blank import", "a/word.go", "package a\n\nimport _ \"unsafe\"\n", 1},
		{"part of another word", "a/notunsafe.go", use, 1},
		{"unsafe", "a/word_unsafe.go", use, 0},
		{"unsafe test", "a/word_unsafe_test.go", use, 0},
		{"unsafe for a system", "a/word_unsafe_linux.go", use, 0},
		{"unsafe test for a system", "a/word_unsafe_windows_test.go", use, 0},
		{"unsafe for no system", "a/word_unsafe_fast.go", use, 1},
		{"system before unsafe", "a/word_linux_unsafe.go", use, 1},
		{"layout beyond sizes", "a/layout.go", use, 1},
		{"layout with sizes", "a/layout.go", "package a\n\nimport \"unsafe\"\n\nconst s = unsafe.Sizeof(0)\n", 0},
		{"layout test with offsets", "a/layout_test.go", "package a\n\nimport \"unsafe\"\n\nvar v struct{ f int }\n\nconst o = unsafe.Offsetof(v.f)\n", 0},
		{"layout under another name", "a/layout.go", "package a\n\nimport u \"unsafe\"\n\nvar p u.Pointer\n", 1},
		{"cgo", "a/word.go", "package a\n\nimport \"C\"\n", 1},
		{"none", "a/word.go", "package a\n", 0},
	})
}
