package main

import (
	"encoding/json"
	"os"
)

// report is what -json writes.
type report struct {
	Host host  `json:"host"`
	Rows []row `json:"rows"`
}

func newReport(h host, results []result) report {
	r := report{Host: h, Rows: []row{}}
	for _, result := range results {
		r.Rows = append(r.Rows, result.rows()...)
	}
	return r
}

func (r report) write(file string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
