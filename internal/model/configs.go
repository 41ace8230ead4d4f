package model

// Config is one small world.
type Config struct {
	Name  string
	About string

	units  uint8 // of the ring
	points uint8 // checkpoints
	part   uint8 // units that one of them stands for
	slots  uint8
	script string // of the first producer
	again  string // of its successors
	intent uint8  // what payloads add to their sequence
	ahead  uint8  // how far wakeAt may lie beyond needAt
	hold   uint8  // records that consumers view before they release

	unregistered bool // the producer fences: it could not register for membarrier
	fences       bool // so do consumers, behind their cursors
	turns        bool // for successors it is the other way round
	blind        bool // the producer is refused the membarrier that consumers count on
	chooses      bool // the producer takes the fence at a wake, and gives it back where the script says F

	consumers []Consumer

	kills    uint8 // of producers
	deaths   uint8 // of consumers
	restarts uint8
	spurious uint8
	cancels  uint8

	pending uint8 // stores that a process may have pending at a step, 0: as many as the model holds
	words   bool  // choose's comparison of the resume words, when no point is kept, is modelled
	pointed bool  // somebody reads points

	size Size // the smallest in which it is explored
}

// Consumer is one process that consumes.
type Consumer struct {
	policy  uint8
	joins   bool  // later; else it is there from the beginning
	oldest  bool  // where it joins
	leaves  uint8 // after so many records, 0: at the end
	follows bool  // it waits for the next producer
	refused bool  // membarrier
	dies    bool  // it may be killed
	cancels bool  // its context may end
}

// small is a ring of four units and two checkpoints with payloads of intent.
func small(name, about, script string, consumers ...Consumer) Config {
	c := Config{
		Name: name, About: about, units: 4, points: 2, part: 2, slots: uint8(len(consumers)),
		script: script, intent: 2, hold: 1, consumers: consumers,
	}
	for _, who := range consumers {
		c.pointed = c.pointed || who.joins || who.policy == lossy
	}
	return c
}

func (c Config) with(change func(*Config)) Config {
	change(&c)
	c.pointed = c.pointed || c.kills > 0
	return c
}

// Configs are all of them.
func Configs() []Config {
	gating, passing, limited := Consumer{policy: reliable}, Consumer{policy: lossy}, Consumer{policy: deadline}
	joining := func(c Consumer, oldest bool) Consumer {
		c.joins, c.oldest = true, oldest
		return c
	}
	following := func(c Consumer) Consumer {
		c.follows = true
		return c
	}
	dying := func(c Consumer) Consumer {
		c.dies = true
		return c
	}
	sizes := [...][]Config{
		Short: {
			small("reliable", "publish, credit, both sides asleep", "1C2C1C2CZ", gating).with(func(c *Config) { c.spurious = 1 }),
			small("hold", "views held while both wait, wakeAt beyond needAt", "1C1C2C2C1CZ", gating).with(func(c *Config) { c.hold = 2 }),
			small("hold ahead", "", "1C1C1C2C1CZ", gating).with(func(c *Config) { c.hold, c.ahead = 2, 1 }),
			small("zero", "last lap's payload looks like a commit word", "2C2C1C1CX", gating).with(func(c *Config) { c.intent = 3 }),
			small("fences", "nobody has membarrier", "1C2C1CZ", gating).with(func(c *Config) { c.unregistered, c.fences, c.spurious = true, true, 1 }),
			small("blind", "the producer is refused the membarrier that the consumer counts on", "1C2C1CZ", gating).with(func(c *Config) { c.unregistered, c.blind = true, true }),
			small("chooses", "the producer takes the fence when it wakes somebody, and gives it back", "2CF1CZ", gating).with(func(c *Config) { c.chooses, c.pending = true, 8 }),
			small("death", "a consumer dies", "1C2C1C1CX", dying(gating)).with(func(c *Config) { c.deaths = 1 }),
			small("kill", "the producer dies: its consumer is told behind all records", "1C21C1CX", gating).with(func(c *Config) { c.kills = 1 }),
			small("kill lossy", "", "1C1C2C", passing).with(func(c *Config) { c.kills, c.pending = 1, 4 }),
			small("batch full", "a batch larger than the ring is refused, not waited for", "11111CX", gating),
			small("join idle", "a joiner sleeps before the producer knows it", "1C1CZ", joining(gating, false)),
			small("leave", "", "2C1C2CX", Consumer{policy: reliable, leaves: 1}),
			small("close full", "Close without credit for EOS", "1C2CX", gating),
			small("cancel", "a context ends while the producer is idle", "1C2CZ", Consumer{policy: reliable, cancels: true}).with(func(c *Config) { c.cancels = 1 }),
			small("drain", "rendezvous: every commit waits for the gate", "1CD2CD1CDX", gating),
		},
		Quick: {
			small("take over", "the old producer dies between commit and wake, the new one is idle", "1C1C", following(gating)).with(func(c *Config) { c.kills, c.restarts, c.again = 1, 1, "Z" }),
			small("refused", "the consumer is refused membarrier: fenceMode changes", "1C2C1C1CZ", Consumer{policy: reliable, refused: true}),
			small("batch", "batches, filler, abort", "12C2A12C21C2CX", gating).with(func(c *Config) { c.units, c.part = 6, 3 }),
			small("kill filler", "lapped at a filler, nothing lost, and then the producer dies", "1C2C2C1C", passing).with(func(c *Config) { c.kills, c.pending = 1, 4 }),
			small("kill deadline", "", "1C1C2C", limited).with(func(c *Config) { c.kills = 1 }),
			small("lossy hold", "views are lost together", "2C1C1C2C1CX", passing).with(func(c *Config) { c.hold = 2 }),
			small("deadline idle", "", "2C1C2CZ", limited),
			small("reuse policy", "a reliable newcomer in the slot of a dead lossy consumer", "2C1CX", dying(passing), joining(gating, true)).with(func(c *Config) { c.slots, c.deaths, c.pending = 1, 1, 2 }),
			small("restart close", "a stream ends and goes on: EOS of an older epoch", "1C1CX", following(gating)).with(func(c *Config) { c.restarts, c.again = 1, "1C2CX" }),
			small("registers", "the next producer has membarrier, the one before had not", "1C", following(gating)).with(func(c *Config) { c.unregistered, c.turns, c.kills, c.restarts, c.again = true, true, 1, 1, "1CZ" }),
			small("unregisters", "and the other way round", "1C", following(gating)).with(func(c *Config) { c.turns, c.kills, c.restarts, c.again = true, 1, 1, "1CZ" }),
			small("choose", "no point is kept: the resume words are compared", "1C2C11CX", passing).with(func(c *Config) { c.words, c.pending = true, 4 }),
			small("lossy quick", "", "1C2C1C1CX", passing).with(func(c *Config) { c.pending = 4 }),
			small("points quick", "", "1C2C1C1CX", passing).with(func(c *Config) { c.points, c.part, c.pending = 4, 1, 3 }),
			small("deadline quick", "", "2C2C1CX", limited),
			small("join quick", "", "2C2CX", joining(gating, true)),
			small("join latest quick", "", "2C1CX", joining(gating, false)).with(func(c *Config) { c.pending = 3 }),
			small("reuse quick", "", "2C1CX", dying(gating), joining(gating, true)).with(func(c *Config) { c.slots, c.deaths, c.pending = 1, 1, 2 }),
			small("restart quick", "", "2C", following(gating)).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "1CX", 3 }),
			small("kill batch quick", "", "2C11C", gating).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "", 2 }),
			small("restart evict quick", "", "2C2C", limited).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "", 2 }),
			small("abort lossy quick", "", "1C21A11C2CX", passing).with(func(c *Config) { c.pending = 4 }),
		},
		Full: {
			small("join restart", "a joiner finds its place while the producer changes", "1C1C", joining(gating, true)).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "1CX", 1 }),
			small("join dies", "a joiner dies at every step", "2C1CX", dying(joining(gating, false))).with(func(c *Config) { c.deaths, c.pending = 1, 2 }),
			small("hold deadline", "evicted with views in hand", "1C1C2C1CX", limited).with(func(c *Config) { c.hold = 2 }),
			small("restart drain", "the producer dies in a rendezvous", "1CD2CD", following(gating)).with(func(c *Config) { c.kills, c.restarts, c.again = 1, 1, "1CDX" }),
			small("both die", "producer and consumer, in either order", "2C1C1C", dying(following(gating))).with(func(c *Config) { c.kills, c.deaths, c.restarts, c.again, c.pending = 1, 1, 1, "1CX", 3 }),
			small("points join", "as many checkpoints as units", "1C2CX", joining(gating, false)).with(func(c *Config) { c.points, c.part, c.pending = 4, 1, 2 }),
			small("restart hold", "views held while the producer changes", "1C1C", following(gating)).with(func(c *Config) { c.hold, c.kills, c.restarts, c.again, c.pending = 2, 1, 1, "2CX", 3 }),
			small("two", "two gates", "1C2CX", gating, gating).with(func(c *Config) { c.pending = 4 }),
			small("lossy", "a lossy consumer is lapped", "1C2C1C2C1CX", passing),
			small("deadline", "a consumer is evicted while it reads", "2C1C2C1CX", limited),
			small("join latest", "a reliable consumer joins while the producer turns", "1C2C1C2C1CX", joining(gating, false)),
			small("join oldest", "", "1C2C1C2CX", joining(gating, true)),
			small("join lossy", "", "1C2C1C2CX", joining(passing, false)),
			small("join deadline", "", "1C2C2C1CX", joining(limited, false)),
			small("reuse", "a slot changes its owner by leaving or death", "2C1C1CX", dying(Consumer{policy: reliable, leaves: 1}), joining(gating, true)).with(func(c *Config) { c.slots, c.deaths, c.pending = 1, 1, 3 }),
			small("evict reuse", "a newcomer in the slot of an evicted consumer", "2C1C2CX", limited, joining(gating, true)).with(func(c *Config) { c.slots = 1 }),
			small("kill batch", "a batch lifts the horizon over every checkpoint and dies", "2C111C", gating).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "1C", 4 }),
			small("restart", "killed, and killed again while it recovers", "2C", following(gating)).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 2, 2, "1C", 2 }),
			small("restart lap", "", "21C1C1C", following(gating)).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "1CZ", 3 }),
			small("restart lossy", "", "1C2C1C", following(passing)).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "1CX", 3 }),
			small("restart evict", "", "2C2C", following(limited)).with(func(c *Config) { c.kills, c.restarts, c.again, c.pending = 1, 1, "1CX", 3 }),
			small("abort lossy", "an abort takes its checkpoint along", "1C21A11C2C1CX", passing),
			small("mixed", "a lossy consumer loses nothing that a gate holds", "1C2CX", gating, passing).with(func(c *Config) { c.pending = 1 }),
			small("points", "as many checkpoints as units", "1C1C2C1C1C1CX", passing).with(func(c *Config) { c.points, c.part = 4, 1 }),
		},
	}
	var all []Config
	for size, configs := range sizes {
		for _, c := range configs {
			c.size = Size(size)
			all = append(all, c)
		}
	}
	return all
}
