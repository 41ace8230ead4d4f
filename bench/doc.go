// Command bench measures the ring against the limits of the machine, a ring in
// C, what plain Go offers between two processes, and other systems:
//
//	go run ./bench              everything, in tables
//	go run ./bench -quick       the most telling figures, in less than a minute
//	go run ./bench -goals       what the ring is to reach; exit 1 when it does not
//	go run ./bench -peers -html report.html
//
// README.md beside this file says what each workload measures and what not.
//
// Each measurement starts fresh processes, a side each, and pins them. Rounds
// are interleaved, A B C A B C …, so that whatever else the machine does hits
// all contestants alike: trust the ratios of one run before the figures of two.
// Between any two measurements a cache line goes to and fro between the
// processors; where its time has changed by over 1.3 times, they have moved, and
// the measurement is repeated.
//
// # Reading the source
//
// program.go has everything that is measured: contestants (contestant_*.go) in
// workloads (workload.go). measure.go runs one measurement, run.go the rounds.
// What the processes do is in internal/side, the programs in C and their
// compilation in internal/native. goals.go has the goals.
package main
