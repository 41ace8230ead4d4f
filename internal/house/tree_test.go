package house

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/carousel-ipc/carousel"

// source is one file of the repository, or of an example made up by a test.
type source struct {
	path   string // from the root, with slashes
	text   string
	nested bool // in a module of its own

	fset   *token.FileSet
	syntax *ast.File // nil unless Go
}

func newSource(t testing.TB, path, text string) source {
	t.Helper()
	s := source{path: path, text: text}
	if strings.HasSuffix(path, ".go") {
		s.fset = token.NewFileSet()
		f, err := parser.ParseFile(s.fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("parsing: %v", err)
		}
		s.syntax = f
	}
	return s
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) test() bool   { return strings.HasSuffix(s.path, "_test.go") }
func (s source) base() string { return strings.TrimSuffix(path.Base(s.path), ".go") }

// imports returns the import paths of a Go file.
func (s source) imports() (paths []string) {
	if s.syntax == nil {
		return nil
	}
	for _, spec := range s.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// at returns file:line of a node, to begin a finding with.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// ours returns the folder, from the root, of a package of this module.
func ours(importPath string) (dir string, ok bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// within reports whether dir is one of the folders or below one.
func within(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return dir == f || strings.HasPrefix(dir, f+"/")
	})
}

const root = "../.."

// tree returns all files of the repository, but not what git or the build put
// there, and not the inputs of tests.
func tree(t testing.TB) (all []source) {
	t.Helper()
	var modules []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // some other test's file, gone meanwhile
			}
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel == ".git" || rel == "bin" || d.Name() == "fuzz" && path.Base(path.Dir(rel)) == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || rel == ".git" { // the latter in a worktree
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if path.Base(rel) == "go.mod" && rel != "go.mod" {
			modules = append(modules, path.Dir(rel))
		}
		all = append(all, newSource(t, rel, string(text)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(s source) bool { return s.path == "go.mod" }) {
		t.Fatalf("no go.mod in %s: not the root of the repository", root)
	}
	for i := range all {
		all[i].nested = within(all[i].dir(), modules...)
	}
	return all
}

// goFiles returns the Go files of the root module.
func goFiles(all []source) []source {
	return slices.DeleteFunc(slices.Clone(all), func(s source) bool { return s.syntax == nil || s.nested })
}

// keeps reports each finding as an error.
func keeps(t *testing.T, findings []string) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

// broken is one example for a rule: a file and how many findings it makes.
type broken struct {
	name, path, text string
	want             int
}

func tryRule(t *testing.T, rule func([]source) []string, examples []broken) {
	t.Helper()
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			if got := rule([]source{newSource(t, e.path, e.text)}); len(got) != e.want {
				t.Errorf("%s: %d findings, wanted %d: %q", e.path, len(got), e.want, got)
			}
		})
	}
}
