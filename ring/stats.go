package ring

// Stats is a look at a ring by anybody, without a role in it. Each figure was
// true at some moment of the call; a figure about another process may be
// older by the time it is read.
type Stats struct {
	Name      string // file or name of the ring, "" for memory
	Capacity  int
	MaxRecord int
	Slots     int
	Checksum  bool
	Epoch     uint64 // how many producers the ring has had
	Ended     bool   // the last producer closed it
	Producer  ProducerStats
	Consumers []ConsumerStats
}

// ProducerStats is what the producer of the present epoch has done.
type ProducerStats struct {
	Alive       bool
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

// ConsumerStats is one attached consumer.
type ConsumerStats struct {
	Slot       int
	Generation uint64 // which owner of this slot, from 1
	Name       string
	Policy     Policy
	Alive      bool
	Evicted    bool
	Cursor     uint64 // position up to which it has released
	Sequence   uint64 // the record it releases next
	Lag        uint64 // records committed and not released
	LagBytes   uint64
	Received   uint64
	Lost       uint64
	Waits      uint64 // how often it went to sleep
	Wakes      uint64 // how often its bell was rung
}
