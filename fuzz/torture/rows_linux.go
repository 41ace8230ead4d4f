package main

import (
	"context"
	"time"
)

var background = context.Background()

// rows are all of them, in the order of the table.
var rows []row

func init() {
	rows = []row{
		{id: "K1", what: "producer killed at random, 4 consumers attached throughout", quick: 300, long: 10_000,
			bound: 50 * time.Millisecond, patience: 2 * time.Minute, run: killProducers},
		{id: "K3", what: "consumers killed at random, half of them in the producer's way", quick: 300, long: 10_000,
			bound: 50 * time.Millisecond, patience: 2 * time.Minute, run: killConsumers},
		{id: "K4", what: "everybody killed, 32 start at once, some remove the name", quick: 50, long: 2_000,
			bound: 100 * time.Millisecond, patience: 2 * time.Minute, run: killAll},
		{id: "S1", what: "lossy consumer stopped at random: its loss is exact", quick: 30, long: 1_000,
			patience: time.Minute, run: stopLossy},
		{id: "S2", what: "deadline consumer stopped: evicted after D = 30 ms, told why", quick: 30, long: 1_000,
			bound: 50 * time.Millisecond, patience: time.Minute, run: stopDeadline},
		{id: "M2", what: "ping-pong of two processes asleep, sleeps without a bound", quick: 100_000, long: 10_000_000,
			bound: 10 * time.Millisecond, patience: 2 * time.Minute, run: pingPong},
		{id: "M4", what: "wakes of 64 sleeping consumers: one each for a lone record", quick: 200, long: 5_000,
			patience: time.Minute, run: economy},
		{id: "W1", what: "records across 2^32 and 2^63, of sequences and of positions", quick: 1_000_000, long: 10_000_000,
			patience: time.Minute, run: wrap},
		{id: "L1", what: "seconds of soak: running hash, restarting consumers, resources", quick: 30, long: 1_800,
			patience: 2 * time.Minute, run: soak},
	}
}
