// Package cli is what the commands producer and consumer do, as functions:
//
//	producer.go, publish.go    a run of the producer; staging and committing
//	input.go, split_in.go      standard input, cut into records
//	generate.go, pace.go       the generator's records, and their rate
//	consumer.go, receive.go    a run of the consumer; viewing and releasing
//	split_out.go, measure.go   what becomes of records: text, or figures
//	output.go                  standard output
//	account.go, summary.go     what was received, lost, torn; the last line
//	demo*.go                   producer -demo
//	flags.go, usage.go         command lines
//	console.go, signals.go     standard error; SIGINT, SIGTERM, SIGUSR1
//
// Media are reached through package transport alone.
package cli

// Exit codes of both commands.
const (
	exitOK    = 0   // end of the stream and nothing wrong
	exitError = 1   // an error, named on standard error
	exitUsage = 2   // the command line makes no sense
	exitLoss  = 3   // consumer: evicted, torn, or lost though not lossy
	exitDied  = 4   // consumer: the producer died
	exitAgain = 130 // a second SIGINT or SIGTERM
)
