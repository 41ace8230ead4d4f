package cli

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// interrupts turns signals into the ends of two contexts: the first SIGINT or
// SIGTERM asks the command to stop in good order, the second to stop now.
type interrupts struct {
	stop  context.Context // ended by the first
	now   context.Context // ended by the second
	again atomic.Bool     // there was a second
	close func()
}

// patience is how long a command may take after the second signal.
const patience = time.Second

// watchSignals begins to watch; onStats runs at each SIGUSR1. close ends it.
func watchSignals(onStats func()) *interrupts {
	in := &interrupts{}
	var stop, now context.CancelFunc
	in.stop, stop = context.WithCancel(context.Background())
	in.now, now = context.WithCancel(context.Background())

	ends := make(chan os.Signal, 4)
	signal.Notify(ends, os.Interrupt, syscall.SIGTERM)
	stats := make(chan os.Signal, 1)
	notifyStats(stats)
	// A closed pipe is an error of the write, not the death of the process.
	pipes := make(chan os.Signal, 1)
	notifyPipe(pipes)

	var last *time.Timer
	quit, done := make(chan struct{}), make(chan struct{})
	in.close = func() {
		close(quit)
		<-done
		signal.Stop(ends)
		signal.Stop(stats)
		signal.Stop(pipes)
		if last != nil {
			last.Stop()
		}
		stop()
		now()
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-stats:
				go onStats() // standard error may block
			case <-ends:
				if in.stop.Err() == nil {
					stop()
					continue
				}
				if !in.again.Swap(true) {
					now()
					last = time.AfterFunc(patience, func() { os.Exit(exitAgain) })
				}
			}
		}
	}()
	return in
}
