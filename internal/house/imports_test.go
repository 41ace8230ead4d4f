package house

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// layers are the packages in the order of dependency: each may import those
// before it. Folders that are not named here (fuzz, bench, examples) come
// after all of them.
var layers = []string{"futex", "shm", "frame", "ring", "shmsync", "transport", "conn"}

// mayImport narrows that down for some: all they may import of this module
// besides internal helpers.
var mayImport = map[string][]string{
	"futex":        {},
	"shm":          {"futex"},
	"frame":        {},
	"cmd":          {"transport", "frame", "internal"},
	"internal/cli": {"transport", "frame", "internal"},
	"internal":     {"internal"}, // helpers, so that no layer is gone around
}

// narrowed returns the entry of mayImport for dir: the longest that contains it.
func narrowed(dir string) (allowed []string, ok bool) {
	for ; dir != "."; dir = path.Dir(dir) {
		if allowed, ok := mayImport[dir]; ok {
			return allowed, true
		}
	}
	return nil, false
}

// layer returns the place of dir in layers; -1 if it has none.
func layer(dir string) int {
	return slices.IndexFunc(layers, func(l string) bool { return within(dir, l) })
}

// misorderedImports judges tests by the order alone: they may use what their
// package itself must not.
func misorderedImports(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		for _, p := range s.imports() {
			dep, ok := ours(p)
			if !ok || dep == s.dir() {
				continue
			}
			if allowed, ok := narrowed(s.dir()); ok && !s.test() && !within(dep, allowed...) && layer(dep) != layer(s.dir()) {
				findings = append(findings, fmt.Sprintf("%s: wanted of this module only %v and internal helpers, found %s", s.path, allowed, dep))
				continue
			}
			if within(dep, "internal/cli") && !within(s.dir(), "internal/cli", "cmd") {
				findings = append(findings, s.path+": wanted internal/cli in commands only, found it here")
			}
			if mine := layer(s.dir()); mine >= 0 && (layer(dep) > mine || layer(dep) < 0 && !within(dep, "internal")) {
				findings = append(findings, fmt.Sprintf("%s: wanted imports in the order %v, found %s imported by %s", s.path, layers, dep, s.dir()))
			}
		}
	}
	return findings
}

// sysFolders may use golang.org/x/sys; so may tests. internal/monotonic needs it
// for the one clock that all processes share; internal/seccomp and
// internal/confined put the children of tests into places of their own.
var sysFolders = []string{"futex", "shm", "internal/monotonic", "internal/seccomp", "internal/confined"}

// sysFile is how a file of transport is called that may (a medium that exists
// on some systems only), and one of bench and fuzz (they pin processes to
// processors, limit them, and look at what they used).
var sysFile = regexp.MustCompile(`_(unix|` + systems + `)$`)

func misplacedSys(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		if s.test() || within(s.dir(), sysFolders...) || within(s.dir(), "transport", "bench", "fuzz") && sysFile.MatchString(s.base()) {
			continue
		}
		for _, p := range s.imports() {
			if strings.HasPrefix(p, "golang.org/x/sys/") {
				findings = append(findings, fmt.Sprintf("%s: wanted x/sys in %v, in *_GOOS.go of transport, bench and fuzz and in tests only, found %s", s.path, sysFolders, p))
			}
		}
	}
	return findings
}

func TestImportsKeepTheOrder(t *testing.T) { keeps(t, misorderedImports(tree(t))) }

func TestSystemCallsStandWhereTheyMay(t *testing.T) { keeps(t, misplacedSys(tree(t))) }

func importing(paths ...string) string {
	var b strings.Builder
	b.WriteString("package x\n")
	for _, p := range paths {
		fmt.Fprintf(&b, "\nimport _ %q\n", p)
	}
	return b.String()
}

func TestMisorderedImportsAreFound(t *testing.T) {
	our := func(dirs ...string) string {
		for i := range dirs {
			dirs[i] = modulePath + "/" + dirs[i]
		}
		return importing(dirs...)
	}
	tryRule(t, misorderedImports, []broken{
		{"ring uses what is below", "ring/a.go", our("futex", "shm", "frame"), 0},
		{"ring uses transport", "ring/a.go", our("transport"), 1},
		{"ring's test uses transport", "ring/a_test.go", our("transport"), 1},
		{"ring uses a command", "ring/a.go", our("cmd/producer"), 1},
		{"ring uses a helper", "ring/a.go", our("internal/leak"), 0},
		{"ring uses the command line", "ring/a.go", our("internal/cli"), 1},
		{"ring uses its own parts", "ring/a.go", our("ring/internal/part"), 0},
		{"frame uses anything", "frame/a.go", our("futex"), 1},
		{"frame's test uses what is below", "frame/a_test.go", our("futex"), 0},
		{"futex uses shm", "futex/a.go", our("shm"), 1},
		{"shm uses futex", "shm/a.go", our("futex"), 0},
		{"shm uses ring", "shm/a.go", our("ring"), 1},
		{"transport uses ring", "transport/a.go", our("ring", "frame", "shm"), 0},
		{"transport uses conn", "transport/a.go", our("conn"), 1},
		{"a medium uses transport", "transport/mq/a.go", our("transport"), 0},
		{"a command uses transport", "cmd/producer/a.go", our("transport", "frame", "internal/cli"), 0},
		{"a command uses ring", "cmd/producer/a.go", our("ring"), 1},
		{"a command's test uses ring", "cmd/producer/a_test.go", our("ring"), 0},
		{"the command line uses shm", "internal/cli/a.go", our("shm"), 1},
		{"the command line uses transport", "internal/cli/a.go", our("transport", "internal/leak"), 0},
		{"a helper uses ring", "internal/help/a.go", our("ring"), 1},
		{"a helper's test uses ring", "internal/help/a_test.go", our("ring"), 0},
		{"fuzz uses anything", "fuzz/a.go", our("ring", "transport"), 0},
		{"others", "ring/a.go", importing("fmt", "golang.org/x/sys/unix"), 0},
	})
}

func TestMisplacedSysIsFound(t *testing.T) {
	unix := importing("golang.org/x/sys/unix")
	tryRule(t, misplacedSys, []broken{
		{"futex", "futex/a_linux.go", unix, 0},
		{"shm", "shm/a.go", unix, 0},
		{"ring", "ring/a.go", unix, 1},
		{"ring, for a system", "ring/a_linux.go", unix, 1},
		{"ring's test", "ring/a_test.go", unix, 0},
		{"transport", "transport/a.go", unix, 1},
		{"a medium of one system", "transport/mq_linux.go", unix, 0},
		{"the bench", "bench/a.go", unix, 1},
		{"the bench, for a system", "bench/pin_linux.go", unix, 0},
		{"the command line", "internal/cli/a.go", unix, 1},
		{"the command line's test", "internal/cli/a_test.go", unix, 0},
		{"for windows", "cmd/producer/a_windows.go", importing("golang.org/x/sys/windows"), 1},
	})
}
