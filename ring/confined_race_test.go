//go:build linux && !carousel_portable && race

package ring

// The detector sees nothing between processes, and makes each take a second to
// start.
const confinedEvery = 5
