package house

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// undocumented finds exported names of the library's packages that say nothing
// of themselves. One comment may stand for a block; fields may explain
// themselves.
func undocumented(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		if s.test() || !slices.Contains(layers, s.dir()) {
			continue
		}
		find := func(n ast.Node, name string) {
			findings = append(findings, fmt.Sprintf("%s: wanted a comment on %s, found none", s.at(n), name))
		}
		for _, d := range s.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exportedReceiver(d.Recv.List[0].Type)) {
					find(d, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						if spec.Name.IsExported() && spec.Doc == nil && d.Doc == nil {
							find(spec, spec.Name.Name)
						}
					case *ast.ValueSpec:
						if spec.Names[0].IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
							find(spec, spec.Names[0].Name)
						}
					}
				}
			}
		}
	}
	return findings
}

func exportedReceiver(t ast.Expr) bool {
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	name, ok := t.(*ast.Ident)
	return ok && name.IsExported()
}

func TestExportedNamesAreDocumented(t *testing.T) { keeps(t, undocumented(tree(t))) }

func TestUndocumentedNamesAreFound(t *testing.T) {
	tryRule(t, undocumented, []broken{
		{"a function", "ring/a.go", "package ring\n\nfunc A() {}\n", 1},
		{"one that is documented", "ring/a.go", "package ring\n\n// A does.\nfunc A() {}\n", 0},
		{"a method", "ring/a.go", "package ring\n\n// T is.\ntype T int\n\nfunc (T) A() {}\nfunc (*T) B() {}\n", 2},
		{"a method of what nobody sees", "ring/a.go", "package ring\n\ntype t int\n\nfunc (t) A() {}\n", 0},
		{"a block", "ring/a.go", "package ring\n\n// Bounds.\nconst (\n\tA = 1\n\tB = 2\n)\n", 0},
		{"in a block", "ring/a.go", "package ring\n\nvar (\n\tA = 1 // one\n\tB = 2\n)\n", 1},
		{"a type", "ring/a.go", "package ring\n\ntype A int\n", 1},
		{"not of the library", "bench/a.go", "package main\n\nfunc A() {}\n", 0},
		{"a test", "ring/a_test.go", "package ring\n\nfunc TestA() {}\n", 0},
	})
}
