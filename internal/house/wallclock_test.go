package house

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// calendar are the methods of [time.Time] whose result depends on the wall
// clock, which an administrator or NTP may turn. Intervals and deadlines
// (Sub, Add, Before, time.Since) use the monotonic clock.
var calendar = []string{
	"Unix", "UnixMilli", "UnixMicro", "UnixNano", "Date", "Clock", "Year", "YearDay", "Month", "Day", "Weekday",
	"ISOWeek", "Hour", "Minute", "Second", "Nanosecond", "Round", "Truncate", "UTC", "Local", "In", "Format",
}

// calendarAnywhere are those of them that are found without time.Now before
// them, too, since hardly any other type has them.
var calendarAnywhere = []string{
	"UnixMilli", "UnixMicro", "UnixNano", "YearDay", "Weekday", "ISOWeek",
}

// wallClockMay are files that may: the clock of systems whose processes share
// no other; and a log's, since people ask what came at a time of day, and for
// what is older than so many days to go. Nothing else of a log depends on that.
var wallClockMay = []string{
	"internal/monotonic/clock_linux.go", "internal/monotonic/clock_other.go",
	"transport/internal/seglog/wall.go",
}

func wallClockUses(all []source) (findings []string) {
	for _, s := range goFiles(all) {
		if s.test() || slices.Contains(wallClockMay, s.path) || !slices.Contains(s.imports(), "time") {
			continue
		}
		nows := namedNow(s.syntax)
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || isName(sel.X, "time") { // time.Unix, time.Date make a time of numbers
				return true
			}
			if slices.Contains(calendarAnywhere, sel.Sel.Name) || slices.Contains(calendar, sel.Sel.Name) && fromNow(sel.X, nows) {
				findings = append(findings, fmt.Sprintf("%s: wanted no decision by the wall clock, found .%s()", s.at(sel.Sel), sel.Sel.Name))
			}
			return true
		})
	}
	return findings
}

// fromNow reports whether e is time.Now(), a variable it was stored in, or
// methods called on either.
func fromNow(e ast.Expr, nows []string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return slices.Contains(nows, e.Name)
	case *ast.CallExpr:
		sel, ok := e.Fun.(*ast.SelectorExpr)
		return ok && (isName(sel.X, "time") && sel.Sel.Name == "Now" || fromNow(sel.X, nows))
	}
	return false
}

// namedNow returns the names that a file gives to results of time.Now. Scopes
// are not looked at: a name used twice may be found wrongly, and then had
// better be two names.
func namedNow(f *ast.File) (names []string) {
	add := func(name ast.Expr, value ast.Expr) {
		if id, ok := name.(*ast.Ident); ok && fromNow(value, names) {
			names = append(names, id.Name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) == len(n.Rhs) {
				for i := range n.Lhs {
					add(n.Lhs[i], n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			if len(n.Names) == len(n.Values) {
				for i := range n.Names {
					add(n.Names[i], n.Values[i])
				}
			}
		}
		return true
	})
	return names
}

func TestNothingDependsOnTheWallClock(t *testing.T) { keeps(t, wallClockUses(tree(t))) }

func TestWallClockUsesAreFound(t *testing.T) {
	with := func(expr string) string {
		return "package x\n\nimport \"time\"\n\nvar t time.Time\n\nvar x = " + strings.TrimSpace(expr) + "\n"
	}
	tryRule(t, wallClockUses, []broken{
		{"seconds", "ring/a.go", with("time.Now().Unix()"), 1},
		{"nanoseconds later", "ring/a.go", with("time.Now().Add(1).UnixNano()"), 1},
		{"of a variable", "ring/a.go", with("t.UnixNano()"), 1},
		{"of a variable that holds it", "ring/a.go", with("func() int64 { n := time.Now(); return n.Unix() }"), 1},
		{"of a variable declared with it", "ring/a.go", with("1") + "\nvar n = time.Now()\n\nvar h = n.Hour()\n", 1},
		{"of a variable that holds something else", "ring/a.go", with("func() { n := spec(); n.Unix() }"), 0},
		{"the hour", "ring/a.go", with("time.Now().Hour()"), 1},
		{"the second", "ring/a.go", with("time.Now().Second()"), 1},
		{"Format", "cmd/producer/a.go", with(`time.Now().Format("15")`), 1},
		{"in a test", "ring/a_test.go", with("time.Now().Unix()"), 0},
		{"an interval", "ring/a.go", with("time.Since(time.Now())"), 0},
		{"a deadline", "ring/a.go", with("time.Now().Add(time.Hour).Before(t)"), 0},
		{"a time of a number", "ring/a.go", with("time.Unix(0, 0)"), 0},
		{"a formatted file time", "ring/a.go", with(`t.Format("15")`), 0},
		{"another type's method", "ring/a.go", "package x\n\nvar x = addr.Unix()\n", 0},
	})
}
