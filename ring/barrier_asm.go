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

// prefetch asks for the cache line of p. Unlike a load it holds nothing up: not
// the stores behind it, which a load that misses would.
//
//go:noescape
func prefetch(p *uint64)
