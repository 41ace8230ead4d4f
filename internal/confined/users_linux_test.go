package confined

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/transport"
)

func init() { roles["producer for users"] = produceFor }

// produceFor is a producer of this user's that admits another one: URL, user,
// how to split standard input.
func produceFor(args []string) error {
	user, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return err
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	p, err := transport.Create(args[0], transport.ProducerConfig{Capacity: 8 << 20, Users: []uint32{uint32(user)}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.WaitConsumers(ctx, 3); err != nil {
		return errors.Join(err, p.Close())
	}
	for whole := len(input); len(input) > 0; {
		record, n := first(input, args[2], p.MaxRecord())
		var h transport.Header
		if args[2] == "all" {
			h.More, h.Continues = n < len(input), len(input) < whole
		}
		input = input[n:]
		b, err := p.Reserve(ctx, h, len(record))
		if err != nil {
			return errors.Join(err, p.Close())
		}
		copy(b, record)
		if err := p.Commit(); err != nil {
			return errors.Join(err, p.Close())
		}
	}
	st, err := p.Stats()
	fmt.Fprintln(os.Stderr, "fence", st.Producer.Fence)
	return errors.Join(err, p.Drain(ctx), p.Close())
}

// first is the first record of b, and how many bytes of b it takes.
func first(b []byte, split string, most int) (record []byte, n int) {
	switch split {
	case "len32":
		n = 4 + int(binary.LittleEndian.Uint32(b))
		return b[4:n], n
	case "all":
		n = min(len(b), most)
		return b[:n], n
	}
	n = bytes.IndexByte(b, '\n') + 1
	return b[:n-1], n
}

// A producer of the superuser's serves three consumers of another user, the
// command as it is; nobody else is admitted.
func TestTwoUsers(t *testing.T) {
	needsRoot(t)
	t.Setenv(roleEnv, "producer for users")
	for _, row := range []struct {
		split string
		input []byte
	}{{"lines", text(t)}, {"len32", binaryRecords(text(t))}, {"all", text(t)}} {
		t.Run(row.split, func(t *testing.T) {
			shared, _ := folders(t, 0)
			url := "memfd://" + shared + "/s"
			other := as(nobody, Place{})
			producer := start(t, Place{}, row.input, command(t, "test"), url, fmt.Sprint(nobody), row.split)
			refused := eventually(t, url, as(1, Place{}))
			refused.wants(1, "refused")
			t.Log(strings.TrimSpace(refused.stderr.String()))
			deliver(t, row.input, row.split, []Place{other, other, other}, func() *process { return producer }, url)
			producer.wants(0, "fence producer")
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
	t.Setenv(roleEnv, "producer for users")
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
			p := start(t, row.place, []byte("secret\n"), command(t, "test"), "memfd://"+shared+"/s", row.users, "lines")
			p.wants(1, "wanted users that can be told apart, found id 65534")
		})
	}
}
