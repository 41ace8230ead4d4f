//go:build amd64 || arm64

package ring

// fullBarrier orders every access before it before every access behind it.
func fullBarrier()

// loadBarrier orders loads before it before loads and stores behind it.
func loadBarrier()

// pause runs the processor's spin hint n times. It cannot be preempted: keep
// n small.
//
//go:noescape
func pause(n uint32)
