package futex_test

import (
	"fmt"
	"sync/atomic"

	"github.com/carousel-ipc/carousel/futex"
)

// The word mostly lies in memory that two processes share. Whoever waits looks
// at its condition, here the word itself, whenever a wait returns.
func Example() {
	var word uint32
	go func() {
		atomic.StoreUint32(&word, 1) // first the word, then the wake
		futex.Wake(&word)
	}()
	for atomic.LoadUint32(&word) == 0 {
		if err := futex.Wait(&word, 0, -1); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("woken")
	// Output: woken
}
