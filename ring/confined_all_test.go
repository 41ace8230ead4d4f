//go:build linux && !carousel_portable && !race

package ring

// Every how many pairs of TestConfined is run.
const confinedEvery = 1
