//go:build linux && !carousel_portable

package futex

// Polls is true where no kernel wakes anybody: waits look at their words again
// and again, and Wake has no effect.
const Polls = false
