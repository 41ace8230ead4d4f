//go:build !explore

package ring

var kernel kernelCalls
