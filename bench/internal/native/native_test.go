package native

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func compile(t *testing.T, language, text string, libs ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	return dir + "/program", Compile(t.Context(), dir, "program", language, text, libs...)
}

func TestWhatIsCompiledRuns(t *testing.T) {
	for language, text := range map[string]string{
		"c":   "#include \"side.h\"\nint main(void) { printf(\"%ld\", job_number(\"size\")); return 0; }\n",
		"c++": "#include \"side.h\"\n#include <limits>\nint main() { printf(\"%ld\", job_number(\"size\")); return 0; }\n",
	} {
		program, err := compile(t, language, text)
		if errors.Is(err, ErrMissing) {
			t.Skip("SKIP: no compiler: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program)
		cmd.Env = []string{"CAROUSEL_BENCH_JOB=oversize=1\nsize=64\n"}
		if out, err := cmd.Output(); err != nil || string(out) != "64" {
			t.Errorf("%s: found %q, %v", language, out, err)
		}
	}
}

func TestWhatIsNotThereIsMissing(t *testing.T) {
	for _, text := range []string{"#include <no/such/header.h>\n", "int main(void) { return no_such_function(); }\n"} {
		if _, err := compile(t, "c", text); !errors.Is(err, ErrMissing) {
			t.Errorf("found %v, want that it is missing", err)
		}
	}
	_, err := compile(t, "c", "int main(void) { return 0; }\n", "-lno_such_library")
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "program") {
		t.Errorf("found %v, want that it is missing, and of what", err)
	}
}

func TestThePrograms(t *testing.T) {
	dir := t.TempDir()
	err := Build(t.Context(), dir)
	if errors.Is(err, ErrMissing) {
		t.Skip("SKIP: no compiler: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Without the memory to meet in they say so.
	for _, name := range Programs {
		cmd := exec.Command(dir + "/" + name)
		cmd.Env = []string{"CAROUSEL_BENCH_JOB=link=carousel-test-none\n"}
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		said, err := cmd.CombinedOutput()
		in.Close()
		if err == nil || !strings.Contains(string(said), "carousel-test-none") {
			t.Errorf("%s: found %q, %v", name, said, err)
		}
	}
}
