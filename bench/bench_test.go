package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/carousel-ipc/carousel/internal/leak"
)

// The test's own program is what the measurements start.
func TestMain(m *testing.M) {
	if order, ok := os.LookupEnv(jobVariable); ok {
		os.Exit(child(order))
	}
	os.Exit(leak.Check(m))
}

func testSettings() settings {
	cpus, _ := parseCPUs("", allowedCPUs())
	return settings{prefix: leak.Prefix() + "bench", span: 20 * time.Millisecond, cpus: cpus}
}

func TestEveryEntryCanBeMeasured(t *testing.T) {
	for _, e := range program {
		t.Run(e.String(), func(t *testing.T) {
			values, err := e.measure(t.Context(), testSettings())
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range e.metrics {
				if values[m.name] <= 0 {
					t.Errorf("found %s of %v, want more than 0", m.name, values[m.name])
				}
			}
		})
	}
}

func TestAFailureIsToldAndLeavesNothing(t *testing.T) {
	e := program[0]
	e.contestant.name = "one that no child knows"
	_, err := e.measure(t.Context(), testSettings())
	if err == nil || !strings.Contains(err.Error(), "no entry") {
		t.Errorf("found error %v, want what the child said", err)
	}
}

func TestAnInterruptEndsAMeasurement(t *testing.T) {
	for _, e := range []entry{program[0], program[len(program)-1]} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		s := testSettings()
		s.span = time.Minute
		start := time.Now()
		if _, err := e.measure(ctx, s); err == nil || time.Since(start) > 10*time.Second {
			t.Errorf("%v: found error %v after %v, want one at once", e, err, time.Since(start))
		}
	}
}

func TestMessages(t *testing.T) {
	b := make([]byte, messageSize)
	fill(b, 7)
	if !holds(b, 7) || holds(b, 8) || holds(b[:messageSize-1], 7) {
		t.Error("message 7 is not known as such, or another is")
	}
	for i := range b {
		b[i] ^= 1
		if holds(b, 7) {
			t.Errorf("byte %d is wrong and was not missed", i)
		}
		b[i] ^= 1
	}
}

func TestTable(t *testing.T) {
	rate, delay := oneWay.metrics[0], roundTrip.metrics[0]
	ours, slow, fast := contestant{name: "ours"}, contestant{name: "slow", plain: true}, contestant{name: "fast", plain: true}
	var out bytes.Buffer
	printTable(&out, []row{
		{entry: entry{oneWay, ours}, metric: rate, rounds: []float64{30, 10, 20}},
		{entry: entry{oneWay, slow}, metric: rate, rounds: []float64{1}},
		{entry: entry{oneWay, fast}, metric: rate, rounds: []float64{2, 2}},
		{entry: entry{roundTrip, ours}, metric: delay, rounds: []float64{100}},
		{entry: entry{roundTrip, slow}, metric: delay, rounds: []float64{3000}},
		{entry: entry{roundTrip, fast}, metric: delay, failed: errors.ErrUnsupported},
	})
	for _, want := range []string{"20.00 M msg/s  [10.00 30.00]  10 x fast", "100 ns   [100 100]    30 x slow", errors.ErrUnsupported.Error()} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("found\n%s\nwithout %q", out.String(), want)
		}
	}
}

func TestCPUs(t *testing.T) {
	for _, test := range []struct {
		text    string
		allowed []int
		want    [2]int
		ok      bool
	}{
		{"", []int{2, 5, 7}, [2]int{2, 5}, true},
		{"", []int{2}, [2]int{unpinned, unpinned}, true},
		{"7, 2", []int{2, 5, 7}, [2]int{7, 2}, true},
		{"7", []int{2, 5, 7}, [2]int{}, false},
		{"a,b", []int{2, 5, 7}, [2]int{}, false},
		{"0,1", nil, [2]int{}, false},
	} {
		if cpus, err := parseCPUs(test.text, test.allowed); (err == nil) != test.ok || test.ok && cpus != test.want {
			t.Errorf("-cpus %q of %v: found %v, %v", test.text, test.allowed, cpus, err)
		}
	}
}
