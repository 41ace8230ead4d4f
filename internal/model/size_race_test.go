//go:build race

package model

// The race detector has nothing to find in one goroutine, and makes it slow.
const tested = Short
