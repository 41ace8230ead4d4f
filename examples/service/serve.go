package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/carousel-ipc/carousel/ring"
)

// service is the producer with a door in front.
type service struct {
	r  *ring.Ring // any goroutine may use it
	mu sync.Mutex // one at a time uses the producer
	p  *ring.Producer
}

// patience is how long a request waits for room on the ring. Followers choose
// how they hold the service up, and this is how much of it a client sees.
const patience = time.Second

func serve(ctx context.Context, requests, events string) (err error) {
	r, err := ring.Listen(events, ring.ServeConfig{Config: ring.Config{Capacity: 1 << 20, Prefault: true}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, err := r.NewProducer(ring.ProducerConfig{Label: "service"})
	if err != nil {
		return err
	}
	// Followers come to the end of the stream, and then leave.
	defer func() { err = errors.Join(err, p.Close()) }()

	// The ring's socket is ours, and so this is what a predecessor left.
	if err := os.Remove(requests); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", requests)
	if err != nil {
		return err
	}
	s := &service{r: r, p: p}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.publish)
	mux.HandleFunc("GET /consumers", s.consumers)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// publish makes a record of the body. The answer is its sequence: from then on
// no follower can miss it but by its own choice.
func (s *service) publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.p.MaxRecord())))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()

	s.mu.Lock()
	defer s.mu.Unlock()
	sequence := s.p.Sequence()
	b, err := s.p.Reserve(ctx, len(body))
	if err != nil {
		// A reliable follower has not released a whole lap of records.
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	copy(b, body)
	if err := s.p.Commit(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, sequence)
}

// consumers shows who follows, how far behind, and whom the service waits for.
func (s *service) consumers(w http.ResponseWriter, _ *http.Request) {
	stats, err := s.r.Stats()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(stats)
}
