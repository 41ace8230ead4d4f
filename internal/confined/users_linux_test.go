package confined

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A producer of the superuser's serves three consumers of another user; nobody
// else is admitted.
func TestTwoUsers(t *testing.T) {
	needsRoot(t)
	for _, row := range []struct {
		split string
		input []byte
	}{{"lines", text(t)}, {"len32", binaryRecords(text(t))}, {"all", text(t)}} {
		t.Run(row.split, func(t *testing.T) {
			shared, _ := folders(t, 0)
			url := "memfd://" + shared + "/s"
			other := as(nobody, Place{})
			producer := run(t, Place{}, row.input, "producer", "-json", "-split", row.split, "-capacity", "8MiB", "-consumers", "3", "-users", fmt.Sprint(nobody), "-patience", "-1s", url)
			refused := eventually(t, url, as(1, Place{}))
			refused.wants(1, "refused")
			t.Log(strings.TrimSpace(refused.stderr.String()))
			deliver(t, row.input, row.split, []Place{other, other, other}, func() *process { return producer }, url)
			producer.wants(0, `"fence":"producer"`)
		})
	}
}

// eventually runs a consumer as soon as there is a socket.
func eventually(t *testing.T, url string, p Place) *process {
	t.Helper()
	path := strings.TrimPrefix(url, "memfd://")
	for begin := time.Now(); unix.Access(path, unix.F_OK) != nil; time.Sleep(time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("no socket at %s after %v", path, patience)
		}
	}
	return run(t, p, nil, "consumer", "-connect", "1s", url)
}

// In a user namespace everybody outside of it has the same id. Where that is one
// of those to be admitted, nobody is: it would be anybody.
func TestUsersThatCannotBeToldApart(t *testing.T) {
	needsRoot(t)
	for _, row := range []struct {
		name  string
		place Place
		users string
	}{
		{"admitted", withUsers(Container()), fmt.Sprint(nobody)},
		{"its own", as(nobody, withUsers(Container())), "1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			shared, _ := folders(t, stranger+int(row.place.User))
			p := run(t, row.place, []byte("secret\n"), "producer", "-users", row.users, "memfd://"+shared+"/s")
			p.wants(1, "wanted users that can be told apart, found id 65534")
		})
	}
}
