package ring

// Who pays for the full fence between a commit and the look at who sleeps: the
// sleeper, by a membarrier before it sleeps, or the producer, at every commit.
// The first costs nothing while nobody sleeps, and some microseconds for each
// sleep; the second some nanoseconds for each record. So the sleepers pay
// unless one of them cannot, or they sleep so often that the producer is
// better off paying itself.

// oftenWakes wakes within oftenRecords records are often.
var oftenWakes = uint64(64)

const oftenRecords = 512 // for each of them

// takeFence makes this producer pay: it fences before it says so. By choice, it
// may take that back.
func (p *Producer) takeFence(choice bool) {
	p.fenced, p.chosen = true, choice
	fence()
	store32(p.word32(offFenceMode), fenceProducer)
}

// dropFence leaves it to the sleepers again. Whoever read the mode of before has
// said by then that it waits, and the fence behind the store lets this producer
// see that; whoever reads it later pays.
func (p *Producer) dropFence() {
	fenced32(p.word32(offFenceMode), fenceSleeper)
	p.fenced, p.chosen = false, false
}

// weigh is called with each wake of a consumer that has paid itself.
func (p *Producer) weigh(g *gate) {
	if load32(g.fence) != 0 {
		p.takeFence(false)
		return
	}
	if p.sleeps++; p.sleeps < oftenWakes {
		return
	}
	if p.first-p.since < oftenWakes*oftenRecords {
		p.takeFence(true)
	}
	p.sleeps, p.since = 0, p.first
}

// reweigh is called with each sixteenth of the ring.
func (p *Producer) reweigh() {
	if p.chosen && p.stats.wakes == p.woken {
		p.dropFence()
		p.sleeps, p.since = 0, p.first
	}
	p.woken = p.stats.wakes
}
