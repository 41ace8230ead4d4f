package main

import "slices"

// A row is one metric of one entry over all rounds, as -json has it.
type row struct {
	Workload   string    `json:"workload"`
	Contestant string    `json:"contestant"`
	Size       int       `json:"size"`
	Batch      int       `json:"batch"`
	Consumers  int       `json:"consumers"`
	Metric     string    `json:"metric"`
	Unit       string    `json:"unit"`
	Median     float64   `json:"median"`
	Min        float64   `json:"min"`
	Max        float64   `json:"max"`
	Rounds     []float64 `json:"rounds"`
}

// rows returns a row for each metric that was measured.
func (r result) rows() (rows []row) {
	for _, m := range r.metrics {
		if values := r.rounds[m.name]; len(values) > 0 {
			low, median, high := spread(values)
			rows = append(rows, row{
				Workload: r.workload.name, Contestant: r.contestant.Name, Size: r.size, Batch: r.batch, Consumers: r.consumers,
				Metric: m.name, Unit: m.unit, Median: median, Min: low, Max: high, Rounds: values,
			})
		}
	}
	return rows
}

// spread returns the smallest, the middle and the largest of the values.
func spread(values []float64) (low, median, high float64) {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return s[0], (s[(n-1)/2] + s[n/2]) / 2, s[n-1]
}

// median of a metric; ok: it was measured.
func (r result) median(metric string) (v float64, ok bool) {
	if len(r.rounds[metric]) == 0 {
		return 0, false
	}
	_, v, _ = spread(r.rounds[metric])
	return v, true
}
