package house

import (
	"go/format"
	"testing"
)

func unformatted(all []source) (findings []string) {
	for _, s := range all {
		if s.syntax == nil {
			continue
		}
		if out, err := format.Source([]byte(s.text)); err != nil || string(out) != s.text {
			findings = append(findings, s.path+": wanted the form gofmt gives, found another")
		}
	}
	return findings
}

func TestGoFilesAreFormatted(t *testing.T) { keeps(t, unformatted(tree(t))) }

func TestUnformattedIsFound(t *testing.T) {
	tryRule(t, unformatted, []broken{
		{"formatted", "a.go", "package a\n\nvar x = 1\n", 0},
		{"spaces", "a.go", "package a\nvar  x = 1\n", 1},
		{"not Go", "a.txt", "package  a", 0},
	})
}
