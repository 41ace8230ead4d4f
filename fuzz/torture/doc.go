// Torture kills, stops, floods, starves and soaks rings, and prints one table:
// what was tried how often, what failed, and the rate of failure that so many
// trials exclude at 95 %.
//
//	go run ./fuzz/torture -quick          a few minutes
//	go run ./fuzz/torture                 the long counts
//	go run ./fuzz/torture -only K1,S2     these rows
//	go run ./fuzz/torture -n 1000 -only K1 so many trials
//	go run ./fuzz/torture -for 10m -only F3 as many as fit
//	go run ./fuzz/torture -seed 7         the same random choices again
//	go run ./fuzz/torture -list           the rows
//
// It exits with 1 if anything failed. Some rows are processes of this program
// that it starts anew, in a part of their own; the others run the tests and the
// fuzz targets of the repository, in whose root it has to be started.
//
// Everything that is random comes from the seed; what the scheduler makes of it
// does not. A failure names the trial.
//
// # Time
//
// On a machine that is shared, everybody stands still now and then. Beside the
// rows a control process on each processor does nothing but wake by timer. A
// delay counts only as far as the controls were on time while it lasted, for
// half of it at least; how often they were not is printed below the table. With
// -quick, a row in which nothing failed but times is tried once more. Patience
// with what must end is counted in turns and not in time, for whoever stops this
// program and its children for a while.
package main
