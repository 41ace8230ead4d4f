//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

func notifyStats(c chan<- os.Signal) { signal.Notify(c, syscall.SIGUSR1) }
func notifyPipe(c chan<- os.Signal)  { signal.Notify(c, syscall.SIGPIPE) }
