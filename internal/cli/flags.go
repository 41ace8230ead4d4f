package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/carousel-ipc/carousel/transport"
)

// A command line that makes no sense: one line that says why. The caller adds
// the hint and leaves with exitUsage.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// errAnswered: the command line asked for a text, which has been written.
var errAnswered = errors.New("answered")

// flagSet parses quietly: what to print is up to refuse.
func flagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// parseFlags parses args and answers -h and -version.
func parseFlags(fs *flag.FlagSet, args []string, stdout io.Writer, usage string) error {
	version := fs.Bool("version", false, "")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		io.WriteString(stdout, usage)
		return errAnswered
	case err != nil:
		return usagef("%s", strings.ReplaceAll(err.Error(), "\n", " "))
	case *version:
		fmt.Fprintln(stdout, versionLine(fs.Name()))
		return errAnswered
	}
	return nil
}

// onlyURL is the one argument, checked. Where it goes wrong most often is a
// flag behind the URL, which package flag does not read.
func onlyURL(fs *flag.FlagSet) (url, medium string, err error) {
	switch args := fs.Args(); {
	case len(args) == 0:
		return "", "", usagef("want a URL, such as shm://ticks")
	case len(args) > 1 && strings.HasPrefix(args[1], "-"):
		return "", "", usagef("flags go before the URL: found %q behind %q", args[1], args[0])
	case len(args) > 1:
		return "", "", usagef("want one URL, found %d: %s", len(args), strings.Join(args, " "))
	}
	url = fs.Arg(0)
	medium, err = transport.Medium(url)
	if err != nil {
		return "", "", usageError{err.Error()}
	}
	return url, medium, nil
}

// given tells whether a flag was on the command line.
func given(fs *flag.FlagSet, name string) bool {
	found := false
	fs.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// refuse reports an error of parsing and returns the exit code.
func refuse(name string, err error, stderr io.Writer) int {
	if errors.Is(err, errAnswered) {
		return exitOK
	}
	fmt.Fprintf(stderr, "%s: %v\nTry '%s -h'.\n", name, err, name)
	return exitUsage
}

// recordType is a flag's type of records, 0 to 65535.
type recordType uint16

func (t *recordType) Set(s string) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return errors.New("want a type from 0 to 65535")
	}
	*t = recordType(n)
	return nil
}

func (t recordType) String() string { return strconv.Itoa(int(t)) }

// users are ids of users, with commas between.
type users []uint32

func (u *users) Set(s string) error {
	for id := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return errors.New("want ids of users, such as 1000,1001")
		}
		*u = append(*u, uint32(n))
	}
	return nil
}

func (u *users) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]uint32(*u)), " ", ","), "[]")
}

// splitting is how records and a stream of bytes become each other.
type splitting uint8

const (
	splitLines splitting = iota
	splitNul
	splitLen32
	splitAll
	splitFrames
)

var splittingNames = []string{"lines", "nul", "len32", "all", "frames"}

func (s *splitting) Set(text string) error {
	for i, n := range splittingNames {
		if n == text {
			*s = splitting(i)
			return nil
		}
	}
	return fmt.Errorf("want one of %s", strings.Join(splittingNames, ", "))
}

func (s splitting) String() string { return splittingNames[s] }

// hint takes the prefix of package ring off an error of parsing a flag, whose
// name package flag adds.
func hint(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), transport.ErrConfig.Error()+": "))
}
