package house

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// layoutUsers may know where bytes are in a ring or a frame. Everybody else
// goes through functions.
var layoutUsers = []string{"ring", "frame"}

// layoutReach finds uses of a package called layout, and of constants that say
// where something is.
func layoutReach(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		if s.test() || within(s.dir(), layoutUsers...) {
			continue
		}
		for _, p := range s.imports() {
			if dir, ok := ours(p); ok && slices.Contains(strings.Split(dir, "/"), "layout") {
				findings = append(findings, s.path+": wanted no layout outside of ring, found "+path.Join(dir))
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if ok && (isName(sel.X, "ring") || isName(sel.X, "frame")) &&
				(strings.HasPrefix(sel.Sel.Name, "Layout") || strings.HasSuffix(sel.Sel.Name, "Offset")) {
				findings = append(findings, fmt.Sprintf("%s: wanted no layout outside of ring, found %s", s.at(sel), sel.Sel.Name))
			}
			return true
		})
	}
	return findings
}

func TestLayoutIsKnownToFew(t *testing.T) { keeps(t, layoutReach(tree(t))) }

func TestLayoutReachIsFound(t *testing.T) {
	const use = "package x\n\nvar a = frame.MetaOffset\n"
	tryRule(t, layoutReach, []broken{
		{"transport", "transport/a.go", use, 1},
		{"ring", "ring/a.go", use, 0},
		{"transport's test", "transport/a_test.go", use, 0},
		{"a constant of ring", "transport/a.go", "package x\n\nvar a = ring.LayoutCursor\n", 1},
		{"a method of that name", "transport/a.go", "package x\n\nvar a = reader.Offset()\n", 0},
		{"a package", "transport/a.go", importing(modulePath + "/ring/layout"), 1},
	})
}
