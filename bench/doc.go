// Command bench measures the ring against what plain Go offers between two
// processes:
//
//	go run ./bench [-quick] [-rounds N] [-only REGEXP] [-cpus A,B]
//
// Each measurement starts two fresh processes (this program again) and pins
// each to a CPU of its own. Rounds are interleaved, A B C A B C …, so that
// whatever else the machine does hits all contestants alike: trust the ratios
// of one run before the figures of two. The range in brackets is that of the
// rounds.
//
// # Messages
//
// 64 bytes. The sender writes every word of every message, and the receiver
// compares every word with what has to come next; a measurement in which one
// is wrong, missing or too many fails. Filling and comparing are in the figures,
// a few nanoseconds a message on either side, of all contestants alike.
//
// # W1, one way
//
// The sender sends as fast as it can for the whole time and the receiver
// follows: messages per second, by the receiver's clock, from the 16384th
// message (buffers grown, code paged in) to the last. The ring
// waits adaptively, as by default. It takes part three times: a Commit and a
// Release for each message, one for 32, and the copying Write and Read.
//
// It says nothing about latency (whoever is slower is always at work), about a
// sender that pauses, or about more than one receiver.
//
// # W2, round trip
//
// One message at a time there and back: median and 99th percentile in
// nanoseconds, less what two looks at the clock take with nothing between them.
// The ring is two rings, and both processes spin. Pipe and socket block, as Go
// does.
//
// So it compares what each is when it does its best, not equal costs: spinning
// takes two CPUs whole. It says nothing about rings that sleep.
//
// Round trips of pipe and socket hold two wake-ups of a sleeping CPU, which in a
// virtual machine take tens of microseconds. With -cpus A,A, one CPU for both,
// they hold context switches instead, and are shorter; spinning makes no sense
// there.
//
// # Pipe and Unix socket
//
// One Write for each message, as for messages that arrive one by one. The
// reader reads up to 64 KiB at once and cuts messages out of that, which is to
// their advantage: a reader that asks for 64 bytes at a time needs a system
// call for each.
package main
