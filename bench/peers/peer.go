package main

import (
	"context"

	"github.com/carousel-ipc/carousel/bench/internal/side"
)

// A peer is a contestant with what the bench has to know of it.
type peer struct {
	Name   string   `json:"name"`
	About  string   `json:"about"` // how it is set up
	Works  []string `json:"works"`
	Sizes  []int    `json:"sizes"` // of one way; of the others 64
	OneAll bool     `json:"one_process"`

	contestant side.Contestant
	build      func(ctx context.Context, dir string) error
}

const (
	oneWay    = "one way"
	roundTrip = "round trip"
	small     = 64
)

var allSizes = []int{8, 32, small, 1024, 65536}

// peers is all of them. What has only a round trip is a call; what has one
// process cannot do with two.
var peers = []peer{
	{
		Name: "gVisor flipcall", Works: []string{roundTrip},
		About:      "pkg/flipcall, packet window in a file, SendRecvFast; spins before it sleeps",
		contestant: side.Contestant{Name: "gVisor flipcall", Join: joinFlipcall},
	},
	inOther("ZeroMQ", "c", "zeromq", "libzmq in C, ipc transport, PUSH and PULL one way and PAIR there and back, high-water mark 100 000, one I/O thread", "-lzmq"),
	inOther("Boost message_queue", "c++", "boost", "Boost.Interprocess in C++, at most 4096 messages deep, priority 0"),
	{
		Name: "NATS, in one process", Works: []string{oneWay, roundTrip}, Sizes: []int{small}, OneAll: true,
		About:      "embedded server, two in-process connections, publish and subscribe, window of 32 768 messages",
		contestant: side.Contestant{Name: "NATS, in one process", Pair: pairNATS, Loose: true},
	},
	{
		Name: "xsync SPSC queue", Works: []string{oneWay}, Sizes: []int{small}, OneAll: true,
		About:      "xsync/v4, queue of 4096 elements [64]byte, Gosched when it is full or empty",
		contestant: side.Contestant{Name: "xsync SPSC queue", Pair: pairXsync, Loose: true},
	},
}
