//go:build !linux

package main

type usage struct{}

func readUsage() usage { return usage{} }

// others is not known here.
func (usage) others() float64 { return 0 }
