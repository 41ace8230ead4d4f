package ring

// Stats is a look at a ring by anybody who may open it, without a role in it:
// Ring.Stats of a Ring from Open, OpenFile or Create, in any process of the
// ring's user; Inspect, at the socket, for whoever its producer admits. Each
// figure was true at some moment of the call; a figure about another process
// may be older by the time it is read.
type Stats struct {
	Name string // file or name of the ring, "" for memory
	// ID tells this ring from one that was made anew under the same name: 16
	// random bytes in hexadecimal, the same for all handles as long as it lives.
	// A ring made anew numbers its records from 1: a sequence that is to be
	// remembered is remembered with the ID.
	ID        string
	Capacity  int    // bytes
	MaxRecord int    // largest payload, bytes
	Slots     int    // how many consumers may be attached at once
	Checksum  bool   // records carry a CRC32C
	Epoch     uint64 // how many producers the ring has had
	Ended     bool   // the last producer closed it
	Producer  ProducerStats
	Consumers []ConsumerStats // those attached, in the order of their slots
}

// ProducerStats is what the producer of the present epoch has done. What the
// ring keeps of a producer that has gone stays until the next one begins.
type ProducerStats struct {
	Alive       bool   // somebody is the ring's producer now
	Owner       string // label and pid, for people: proves nothing
	Published   uint64 // records committed since the ring was made
	Position    uint64 // bytes of the stream committed since the ring was made
	Bytes       uint64 // payload bytes committed in this epoch
	CreditWaits uint64 // how often it waited for credit in this epoch
	WaitingFor  string // consumer it waits for now, "" none
	WaitedFor   string // consumer it waited for last, "" none yet
	Wakes       uint64 // consumers woken in this epoch
	Evictions   uint64 // consumers evicted in this epoch
	Fence       string // who pays for the fence between publishing and sleeping: "sleeper" or "producer"
}

// ConsumerStats is one attached consumer. What it says of itself, it writes to
// its slot: of a hostile one nothing but Alive and Evicted is sure.
type ConsumerStats struct {
	Slot       int    // from 0
	Generation uint64 // which owner of this slot, from 1, or, on a served ring, from a random number
	Name       string
	Policy     Policy
	Alive      bool   // its lock is held, or its connection open
	Evicted    bool   // no longer waited for; it may not have noticed yet
	Cursor     uint64 // position up to which it has released
	Sequence   uint64 // the record it releases next; 0 while it joins
	Lag        uint64 // records committed and not released
	LagBytes   uint64 // the same in bytes of the ring
	Received   uint64 // records released since it joined, skipped types among them
	Lost       uint64 // records that it was told of as lost
	Waits      uint64 // how often it went to sleep
	Wakes      uint64 // how often its bell was rung
}
