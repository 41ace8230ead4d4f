package house

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Commands that documents name are there: targets of make, steps of the gate,
// packages, the tests that -run picks, variables that tests look at, examples.

var (
	makeUse   = regexp.MustCompile(`\bmake ([a-z0-9]+)`)
	gateUse   = regexp.MustCompile(`\.ci/run((?: +[a-z0-9]+)*)`)
	folderUse = regexp.MustCompile(`(?:^|\s)\./([A-Za-z0-9_./-]+)`)
	runUse    = regexp.MustCompile(`-run[ =]['"]?([A-Za-z0-9_|^$()]+)`)
	variable  = regexp.MustCompile(`\bCAROUSEL_[A-Z0-9_]+`)
	example   = regexp.MustCompile(`\bExample[A-Za-z_]*`)
	goUse     = regexp.MustCompile(`\bgo (?:test|run|build|vet|doc)\b[^;|&#]*`)
)

func strangeCommands(all []source) (findings []string) {
	text := func(name string) string {
		for _, s := range all {
			if s.path == name {
				return s.text
			}
		}
		return ""
	}
	makefile, gate := text("Makefile"), text(".ci/run")
	for _, s := range all {
		if !isDocument(s) {
			continue
		}
		for i, line := range s.markdown(true) {
			find := func(format string, args ...any) {
				findings = append(findings, fmt.Sprintf("%s:%d: wanted ", s.path, i+1)+fmt.Sprintf(format, args...))
			}
			for _, m := range makeUse.FindAllStringSubmatch(line, -1) {
				if !strings.Contains("\n"+makefile, "\n"+m[1]+":") {
					find("a target of the Makefile, found make %s", m[1])
				}
			}
			for _, m := range gateUse.FindAllStringSubmatch(line, -1) {
				for step := range strings.FieldsSeq(m[1]) {
					if !strings.Contains("\n"+gate, "\ndefine "+step+" ") {
						find("a step of .ci/run, found %s", step)
					}
				}
			}
			for _, name := range variable.FindAllString(line, -1) {
				if !slices.ContainsFunc(all, func(o source) bool { return o.syntax != nil && strings.Contains(o.text, `"`+name+`"`) }) {
					find("a variable that some test looks at, found %s", name)
				}
			}
			for _, name := range example.FindAllString(line, -1) {
				if !anyTest(all, []string{"."}, regexp.MustCompile("^"+name+"$")) {
					find("an example, found %s", name)
				}
			}
			for _, command := range goUse.FindAllString(line, -1) {
				folders := foldersOf(command)
				for _, folder := range folders {
					if !slices.ContainsFunc(all, func(o source) bool { return within(o.dir(), folder) }) {
						find("a folder of this module, found ./%s", folder)
					}
				}
				for _, m := range runUse.FindAllStringSubmatch(command, -1) {
					if pattern, err := regexp.Compile(m[1]); err != nil || m[1] != "^$" && !anyTest(all, folders, pattern) {
						find("a test in %v that -run %s picks, found none", folders, m[1])
					}
				}
			}
		}
	}
	return findings
}

// foldersOf returns the folders that a command of go names: ./ring, ./ring/....
func foldersOf(command string) (folders []string) {
	for _, m := range folderUse.FindAllStringSubmatch(command, -1) {
		folders = append(folders, path.Clean(strings.TrimSuffix(m[1], "...")))
	}
	return folders
}

func anyTest(all []source, folders []string, pattern *regexp.Regexp) bool {
	for _, s := range all {
		if s.syntax == nil || !s.test() || !within(s.dir(), folders...) && !slices.Contains(folders, ".") {
			continue
		}
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Example") || strings.HasPrefix(f.Name.Name, "Fuzz")) && pattern.MatchString(f.Name.Name) {
				return true
			}
		}
	}
	return false
}

func TestDocumentedCommandsExist(t *testing.T) { keeps(t, strangeCommands(tree(t))) }

func TestStrangeCommandsAreFound(t *testing.T) {
	around := []source{
		newSource(t, "Makefile", "prove: ## all\n\tgo test\n"),
		newSource(t, ".ci/run", "define race \"all\"\n"),
		newSource(t, "ring/a_test.go", "package ring\n\nconst kills = \"CAROUSEL_KILLS\"\n\nfunc TestKilled(t *testing.T) {}\n\nfunc FuzzAll(f *testing.F) {}\n"),
	}
	for _, e := range []struct {
		name, text string
		want       int
	}{
		{"a target", "`make prove`", 0},
		{"no such target", "`make love`", 1},
		{"in prose", "make love", 0},
		{"in a block", "```sh\nmake prove\nmake love\n```", 1},
		{"steps", "`.ci/run race walk`", 1},
		{"packages", "`go test ./ring ./rung`", 1},
		{"all packages", "`go test ./...`", 0},
		{"below a package", "`go test ./ring/...`", 0},
		{"a test", "`go test ./ring -run Killed -v`", 0},
		{"a fuzz target", "`go test ./ring -run Fuzz`", 0},
		{"no such test", "`go test ./ring -run Drowned`", 1},
		{"a variable", "`CAROUSEL_KILLS=7 go test ./ring`", 0},
		{"no such variable", "`CAROUSEL_PILLS=7 go test ./ring`", 1},
		{"no such example", "`ExampleOf_nothing`", 1},
		{"what was built", "`bin/producer ./input`", 0},
	} {
		t.Run(e.name, func(t *testing.T) {
			if got := strangeCommands(append(around, newSource(t, "a.md", e.text+"\n"))); len(got) != e.want {
				t.Errorf("%d findings, wanted %d: %q", len(got), e.want, got)
			}
		})
	}
}
