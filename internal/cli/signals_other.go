//go:build !unix

package cli

import "os"

func notifyStats(chan<- os.Signal) {}
func notifyPipe(chan<- os.Signal)  {}
