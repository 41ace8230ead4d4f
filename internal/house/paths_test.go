package house

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// machinePaths are places that exist on no reader's machine. They are put
// together here so that this file does not contain them.
var machinePaths = []string{"/wo" + "rk/", ".." + "/shared"}

func machinePathUses(all []source) (findings []string) {
	for _, s := range all {
		if !utf8.ValidString(s.text) {
			continue
		}
		n := 0
		for line := range strings.Lines(s.text) {
			n++
			for _, p := range machinePaths {
				if strings.Contains(line, p) {
					findings = append(findings, fmt.Sprintf("%s:%d: wanted no path of one machine, found %s", s.path, n, p))
				}
			}
		}
	}
	return findings
}

func TestNoFileNamesAPathOfOneMachine(t *testing.T) { keeps(t, machinePathUses(tree(t))) }

func TestMachinePathsAreFound(t *testing.T) {
	tryRule(t, machinePathUses, []broken{
		{"in prose", "README.md", "see\n/wo" + "rk/main\n", 1},
		{"in a script", ".ci/run", "cp .." + "/shared/a /wo" + "rk/b\n", 2},
		{"a word like it", "README.md", "/workable, networks\n", 0},
		{"none", "README.md", "work/ and shared/\n", 0},
		{"binary", "a.png", "\xff/wo" + "rk/", 0},
	})
}
