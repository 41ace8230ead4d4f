package transport

import (
	"context"
	"slices"
)

// A scheme is one medium: how the part of a URL behind "NAME:" is read, and
// how the two ends come about.
type scheme struct {
	name string
	form string // of the URL, for error texts
	// check turns what follows "NAME:" into what the medium calls the thing;
	// its error says what was wanted.
	check   func(rest string) (string, error)
	create  func(t target, cfg ProducerConfig) (Producer, error)
	open    func(ctx context.Context, t target, cfg ConsumerConfig) (Consumer, error)
	inspect func(t target) (Stats, error)
}

// A target is a URL that was understood.
type target struct {
	url    string
	scheme *scheme
	name   string // as scheme.check returned it
}

var schemes = []*scheme{
	&shmScheme, &fileScheme, &memfdScheme, &pipeScheme, &fifoScheme, &unixScheme, &unixpacketScheme, &tcpScheme,
	&udpScheme, &logScheme, &mqScheme, &autoScheme,
}

// Schemes lists the schemes that this build can open.
func Schemes() []string {
	var names []string
	for _, s := range schemes {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return names
}
