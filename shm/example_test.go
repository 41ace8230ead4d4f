package shm_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/carousel-ipc/carousel/shm"
)

// A segment is made without a name, filled, and then named in one step: whoever
// opens it finds all of it or nothing.
func Example() {
	dir, err := os.MkdirTemp("", "segments")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "segment")

	made, err := shm.Create(path, 4096, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer made.Close()
	here, err := made.Map(shm.ReadWrite)
	if err != nil {
		log.Fatal(err)
	}
	defer here.Unmap()
	copy(here.Bytes(), "shared")
	if err := made.Publish(); err != nil {
		log.Fatal(err)
	}

	// In another process:
	opened, err := shm.Open(path, shm.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer opened.Close()
	there, err := opened.Map(shm.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer there.Unmap()
	fmt.Printf("%s\n", there.Bytes()[:6])
	// Output: shared
}

// A lock says that its holder lives. The kernel drops it with the process.
func ExampleFile_Held() {
	dir, err := os.MkdirTemp("", "segments")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	f, err := shm.Create(filepath.Join(dir, "segment"), 4096, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := f.Publish(); err != nil {
		log.Fatal(err)
	}

	const role = 0
	lock, err := f.TryLock(role)
	if err != nil {
		log.Fatal(err)
	}
	alive, err := f.Held(role)
	fmt.Println(alive, err)
	if err := lock.Unlock(); err != nil {
		log.Fatal(err)
	}
	alive, err = f.Held(role)
	fmt.Println(alive, err)
	// Output:
	// true <nil>
	// false <nil>
}
