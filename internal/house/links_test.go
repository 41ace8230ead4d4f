package house

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// markdown returns the lines of a document with the code taken out of them, or
// the code alone: fenced blocks and what stands between backquotes. Lines keep
// their numbers.
func (s source) markdown(code bool) (lines []string) {
	fenced := false
	for line := range strings.Lines(s.text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			lines = append(lines, "")
			continue
		}
		if fenced {
			if !code {
				line = ""
			}
			lines = append(lines, line)
			continue
		}
		var kept []string
		for i, part := range strings.Split(line, "`") {
			if (i%2 == 1) == code {
				kept = append(kept, part)
			}
		}
		lines = append(lines, strings.Join(kept, " ; "))
	}
	return lines
}

var (
	linkTarget = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
)

// anchors returns what a link to a heading of the document may be called.
func (s source) anchors() (names []string) {
	fenced := false
	for line := range strings.Lines(s.text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		m := heading.FindStringSubmatch(strings.TrimSpace(line))
		if fenced || m == nil {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		for i, plain := 1, name; slices.Contains(names, name); i++ {
			name = fmt.Sprintf("%s-%d", plain, i)
		}
		names = append(names, name)
	}
	return names
}

func isDocument(s source) bool { return path.Ext(s.path) == ".md" }

// brokenLinks judges links within the repository.
func brokenLinks(all []source) (findings []string) {
	for _, s := range all {
		if !isDocument(s) {
			continue
		}
		for i, line := range s.markdown(false) {
			for _, m := range linkTarget.FindAllStringSubmatch(line, -1) {
				file, anchor, hasAnchor := strings.Cut(m[1], "#")
				if strings.Contains(m[1], ":") {
					continue
				}
				target := s.path
				if file != "" {
					target = path.Join(s.dir(), file)
				}
				at := slices.IndexFunc(all, func(o source) bool { return o.path == target })
				folder := slices.ContainsFunc(all, func(o source) bool { return within(o.dir(), target) })
				switch {
				case at < 0 && !folder, at < 0 && hasAnchor:
					findings = append(findings, fmt.Sprintf("%s:%d: wanted a link to what there is, found %s", s.path, i+1, m[1]))
				case hasAnchor && !slices.Contains(all[at].anchors(), anchor):
					findings = append(findings, fmt.Sprintf("%s:%d: wanted one of the headings %q, found #%s", s.path, i+1, all[at].anchors(), anchor))
				}
			}
		}
	}
	return findings
}

func TestLinksLeadSomewhere(t *testing.T) { keeps(t, brokenLinks(tree(t))) }

func TestBrokenLinksAreFound(t *testing.T) {
	tryRule(t, brokenLinks, []broken{
		{"no such file", "docs/a.md", "see [b](b.md)\n", 1},
		{"itself", "docs/a.md", "see [a](../docs/a.md)\n", 0},
		{"a folder", "docs/a.md", "see [all](../docs)\n", 0},
		{"a heading", "a.md", "# How it works, in short\n\n[how](#how-it-works-in-short)\n", 0},
		{"the second of two", "a.md", "# A\n# A\n[a](#a-1)\n", 0},
		{"no such heading", "a.md", "# A\n\n[b](#b) and [c](a.md#c)\n", 2},
		{"a heading in code", "a.md", "```\n# A\n```\n[a](#a)\n", 1},
		{"elsewhere", "a.md", "[a](https://example.org/a.md)\n", 0},
		{"in code", "a.md", "`[a](b.md)`\n```\n[a](b.md)\n```\n", 0},
		{"no document", "a.go", "package a // [b](b.md)\n", 0},
	})
}
