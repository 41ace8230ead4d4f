package ring

import (
	"sync"
	"sync/atomic"
	"time"
)

// strangers are the attached consumers that the producer does not trust with
// its time. Such a one may say at every moment that it sleeps, which costs a
// wake for each commit, or keep the line where it says so moving, which costs
// a cache miss. So the producer looks at all of them only so many times in a
// spell, and then leaves it to a timer, which looks once in a spell for as
// long as commits come. While they come that densely a stranger that sleeps
// hears of a record up to a spell later; otherwise at once.
//
// No wake is lost between the two. The producer's commit is a full fence here
// (a ring for strangers is fenced from its beginning) and comes before its look
// at relieved; the timer clears relieved before it looks for sleepers. So
// either the producer sees it cleared, and looks itself, or the timer's look
// comes after the commit.
type strangers struct {
	present  bool        // the producer's copy of len(bells) > 0
	looks    int         // how often the producer may still look
	spell    time.Time   // since when
	relieved atomic.Bool // the timer looks

	mu       sync.Mutex // the timer's goroutine and the producer's
	bells    []doorbell
	position *uint64 // P0, as the producer has stored it
	last     uint64  // P0 at the timer's last look
	wakes    uint64
	gone     bool // closed: nothing shared may be touched any more
}

// doorbell is what whoever wakes a consumer needs of its slot.
type doorbell struct{ waiting, bell *uint32 }

const (
	// spell is the longest that a stranger's wake is put off.
	spell = time.Millisecond
	// spellLooks bounds, for all strangers together, how often the producer
	// looks whether one sleeps: at some 100 ns for a look, a microsecond for a
	// wake, it loses less than a thirtieth of its time.
	spellLooks = 32
)

// know is called with every new list of consumers.
func (s *strangers) know(bells []doorbell, position *uint64) {
	if len(bells) == 0 && !s.present {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bells, s.position, s.present = bells, position, len(bells) > 0
}

// wake is the producer's look after a commit.
func (s *strangers) wake() {
	if s.relieved.Load() {
		return
	}
	if s.looks < len(s.bells) {
		now := time.Now()
		if now.Sub(s.spell) < spell {
			s.relieved.Store(true)
			time.AfterFunc(spell, s.tick)
			return
		}
		s.spell, s.looks = now, max(spellLooks, len(s.bells))
	}
	s.looks -= len(s.bells)
	s.mu.Lock()
	s.look()
	s.mu.Unlock()
}

// tick is the timer's look. When there was no commit since the last one the
// producer looks itself again.
func (s *strangers) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return
	}
	at := load64(s.position)
	if at == s.last {
		s.relieved.Store(false)
	} else {
		s.last = at
		time.AfterFunc(spell, s.tick)
	}
	s.look()
}

// look rings for those who sleep: waiting first, then the bell (row 15).
func (s *strangers) look() {
	for _, b := range s.bells {
		if load32(b.waiting) != 0 {
			store32(b.waiting, 0)
			ringBell(b.bell)
			s.wakes++
		}
	}
}

func (s *strangers) woken() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wakes
}

// silence is the end: the memory goes.
func (s *strangers) silence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}
