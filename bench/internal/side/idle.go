package side

import (
	"fmt"
	"time"

	"github.com/carousel-ipc/carousel/internal/monotonic"
)

// The idle work: consumers that have read all there is, and a producer that
// says nothing for the span. What they cost meanwhile is the CPU time of their
// process, that of the Go runtime included.

const calm = 200 * time.Millisecond // before and after the span

func hold(e End, j Job) (o Outcome, err error) {
	o.Messages = 2
	if err := e.Send(0, 1); err != nil {
		return o, err
	}
	time.Sleep(j.Span + 3*calm)
	if err := e.Send(1, 2); err != nil {
		return o, err
	}
	return o, e.Close()
}

func sleepers(c Contestant, j Job) (o Outcome, err error) {
	o.Messages = 2
	ends := make([]End, max(j.Consumers, 1))
	for i := range ends {
		if ends[i], err = c.Join(j); err != nil {
			return o, err
		}
	}
	if err := settle(j, Contestant{Loose: true}); err != nil {
		return o, err
	}
	first, second := make(chan error), make(chan error)
	for _, e := range ends {
		go func() {
			_, err := e.Receive(0, 1)
			first <- err
			_, err = e.Receive(1, 2)
			second <- err
		}()
	}
	for range ends {
		if err := <-first; err != nil {
			return o, err
		}
	}
	time.Sleep(calm)
	before, err := cpuTime()
	if err != nil {
		return o, err
	}
	start := monotonic.Now()
	time.Sleep(j.Span)
	after, err := cpuTime()
	if err != nil {
		return o, err
	}
	elapsed := monotonic.Now() - start
	select {
	case err := <-second:
		return o, fmt.Errorf("wanted nothing to receive meanwhile, found an end (%v)", err)
	default:
	}
	o.set("cpu", 100*float64(after-before)/float64(elapsed))
	for range ends {
		if err := <-second; err != nil {
			return o, err
		}
	}
	return o, nil
}
