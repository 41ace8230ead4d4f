package main

import "time"

// A workload is what two sides do with a link.
type workload struct {
	name, title string
	metrics     []metric
	sides       [2]func(end, time.Duration) (outcome, error)
}

// A metric is one of the figures of a workload.
type metric struct {
	name, unit string
	less       bool // is better
	digits     int  // behind the point, to print
}

// An outcome is what one side reports: how many messages it sent or received,
// which must be the same on both, and the values of metrics by name.
type outcome struct {
	Messages uint64
	Values   map[string]float64
}
