package transport

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/carousel-ipc/carousel/transport/internal/mqueue"
)

// What the media but file: and log: hold open is no file of a disk: it is
// memory, whatever its name.
func TestTheOtherMediaAreInMemory(t *testing.T) {
	urls := media(t)
	delete(urls, "file")
	delete(urls, "fifo") // nor the lock beside it: TestOnlyFilesAndLogsAreOnADisk
	urls["udp"] = udpURL(t)
	if _, err := mqueue.Limits(); err == nil {
		urls["mq"] = mqURL(t)
	}
	for medium, url := range urls {
		t.Run(medium, func(t *testing.T) {
			before := openFiles(t)
			p := created(t, url, ProducerConfig{})
			if medium != "udp" { // which waits for the first datagram
				opened(t, url, ConsumerConfig{})
			}
			publish(t, p, "a record")
			looked := 0
			for fd, what := range openFiles(t) {
				if before[fd] == what {
					continue
				}
				looked++
				if kind, onDisk := storage(t, fd); onDisk {
					t.Errorf("%s is open, of file system %#x", what, kind)
				}
			}
			if looked == 0 {
				t.Error("nothing is open")
			}
		})
	}
}

// openFiles is what this process has open, by descriptor.
func openFiles(t *testing.T) map[int]string {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	open := map[int]string{}
	for _, e := range list {
		fd, _ := strconv.Atoi(e.Name())
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil { // the one that lists is closed
			open[fd] = to
		}
	}
	return open
}

// storage tells which file system a regular file with something in it (a lock
// has nothing) is in, and whether that may be on a disk.
func storage(t *testing.T, fd int) (kind int64, onDisk bool) {
	t.Helper()
	info, err := os.Stat(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil || info.Mode()&fs.ModeType != 0 || info.Size() == 0 {
		return 0, false // or closed meanwhile; a socket, a pipe, a folder
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		t.Fatal(err)
	}
	const mqueueMagic = 0x19800202
	inMemory := []int64{unix.TMPFS_MAGIC, unix.HUGETLBFS_MAGIC, unix.PROC_SUPER_MAGIC, unix.ANON_INODE_FS_MAGIC, mqueueMagic}
	kind = int64(st.Type)
	return kind, !slices.Contains(inMemory, kind)
}
