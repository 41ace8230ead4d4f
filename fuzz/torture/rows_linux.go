package main

import (
	"context"
	"errors"
	"time"
)

var (
	background = context.Background()
	done       = ended() // for calls that are not to wait
)

func ended() context.Context {
	ctx, cancel := context.WithCancel(background)
	cancel()
	return ctx
}

// rows are all of them, in the order of the table.
var rows []row

func init() {
	const (
		second = time.Second
		minute = time.Minute
		ms     = time.Millisecond
	)
	rows = []row{
		{id: "K1", what: "producer killed at random, 4 consumers attached throughout", quick: 300, long: 10_000,
			bound: 50 * ms, patience: 2 * minute, run: killProducers},
		{id: "K3", what: "consumers killed at random, half of them in the producer's way", quick: 300, long: 10_000,
			bound: 50 * ms, patience: 2 * minute, run: killConsumers},
		{id: "K4", what: "everybody killed, 32 start at once, some remove the name", quick: 50, long: 2_000,
			bound: 100 * ms, patience: 2 * minute, run: killAll},
		{id: "K5", what: "consumer and producer killed for want of memory, in turns", quick: 6, long: 400,
			bound: 50 * ms, patience: minute, missing: needCage, run: killForMemory},
		{id: "S1", what: "lossy consumer stopped at random: its loss is exact", quick: 30, long: 1_000,
			patience: minute, run: stopLossy},
		{id: "S2", what: "deadline consumer stopped: evicted after D = 30 ms, told why", quick: 30, long: 1_000,
			bound: 50 * ms, patience: minute, run: stopDeadline},
		{id: "S3", what: "consumers that hardly run beside hogs hold nothing: batches", quick: 40_000, long: 4_000_000,
			bound: 50 * ms, patience: minute, run: invert},
		{id: "E1", what: "no space, few descriptors, little memory: an error, no signal", quick: 1, long: 1,
			patience: 2 * minute, run: small},
		{id: "E2", what: "files truncated, replaced, hole-punched under writer and readers", quick: 60, long: 10_000,
			bound: 50 * ms, patience: minute, run: damageFiles},
		{id: "E3", what: "each of our system calls fails in each way", quick: 1, long: 1,
			patience: 3 * minute, run: runSuites(suite{folder: "./internal/confined", pick: "^TestFaults$", env: []string{"CAROUSEL_FAULTS=1"}})},
		{id: "E4", what: "containers, other users, refused system calls", quick: 1, long: 1,
			patience: 3 * minute, run: runSuites(suite{folder: "./internal/confined", pick: "^Test(BetweenContainers|TwoUsers)$"}, suite{folder: "./ring", pick: "^TestConfined$"})},
		{id: "E5", what: "a child that is executed has nothing of a ring in use", quick: 100, long: 1_000,
			patience: minute, run: inherit},
		{id: "E6", what: "seconds that a whole group is stopped; no use of the wall clock", quick: 2, long: 60,
			patience: minute, run: timeless},
		{id: "M2", what: "ping-pong of two processes asleep, sleeps without a bound", quick: 100_000, long: 10_000_000,
			bound: 10 * ms, patience: 2 * minute, run: pingPong},
		{id: "M4", what: "lone records wake each of 64 sleepers once; none at full rate", quick: 200, long: 5_000,
			patience: minute, run: economy},
		{id: "W1", what: "records across 2^32 and 2^63, of sequences and of positions", quick: 1_000_000, long: 60_000_000,
			patience: minute, run: wrap},
		{id: "W2", what: "K1, K3, W1 and D2 on 386, a tenth of each", quick: 1, long: 1,
			patience: 2 * minute, run: narrow},
		{id: "F1", what: "inputs to every fuzz target, so many each", quick: 200_000, long: 10_000_000,
			patience: 60 * minute, run: fuzzTargets},
		{id: "F3", what: "reads beside a process that changes any word at full speed", quick: 10_000_000, long: 1_000_000_000,
			bound: second, patience: 2 * minute, run: mutate},
		{id: "D2", what: "flipped bits in what a killed producer left", quick: 100_000, long: 100_000_000,
			patience: minute, run: flipBits},
		{id: "L1", what: "seconds of soak: running hash, restarting consumers, resources", quick: 30, long: 1_800,
			patience: 2 * minute, run: soak},
	}
}

// E1.
func small(t *tally) error {
	return errors.Join(
		runSuites(
			suite{folder: "./shm", pick: "^Test(FullTmpfs|FileSizeLimit)$"},
			suite{folder: "./internal/confined", pick: "^Test(SmallMemory|NoMemory)$"})(t),
		limits(t))
}

// E6.
func timeless(t *tally) error {
	return errors.Join(runSuites(suite{folder: "./internal/house", pick: "^TestNothingDependsOnTheWallClock$"})(t), stopGroup(t))
}
