/*
 * A ring for one producer and many consumers, each of which gets everything:
 * the commit word in the record as in ring.c, a cursor for each consumer, and
 * futexes for whoever has nothing to do. The look for sleepers behind a commit
 * is one load of one word: the fence that belongs before it is paid by the
 * sleeper (membarrier), or, where that is refused, by the producer.
 */
#include "side.h"

enum {
	HEADER = 16,
	MOST = 64,
	POLL_PAUSES = 6,
	SLIP_MOST = 150,
	SLIP_STEP = 25,
	DENSE_LOOKS = 3,
	SPIN_LOOKS = 600,
	YIELDS = 4,
};

typedef struct {
	uint32_t word;
	char pad[124];
} line32;

typedef struct {
	uint64_t word;
	char pad[120];
} line64;

typedef struct {
	line32 met, fenced;
	line32 asleep;       /* a consumer has been going to sleep since the last wake */
	line32 bell;         /* consumers sleep on it */
	line32 credit;       /* the producer sleeps on it */
	line64 wake_at;      /* until the consumer wake_by has a cursor beyond this; 0: awake */
	line32 wake_by;
	line64 cursor[MOST];
	char bytes[];
} shared;

typedef struct {
	uint64_t sequence;
	uint32_t length;
	uint16_t type, flags;
} header;

enum { PAD = 1, END_OF_STREAM = 2 };

static shared *s;
static uint64_t mask, batch;
static size_t size;
static int consumers, spins;

static inline header *at(uint64_t pos) { return (header *)(s->bytes + (pos & mask)); }

/* The producer. */

static uint64_t pos, seq = 1, limit;
static int fenced;

static int slowest;

static uint64_t least_cursor(void) {
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < consumers; i++) {
		uint64_t c = load_acquire(&s->cursor[i].word);
		if (c < least)
			least = c, slowest = i;
	}
	return least;
}

static inline int credit(uint64_t upto) {
	limit = least_cursor() + mask + 1;
	return limit >= upto;
}

static void wake_consumers(void) {
	__atomic_exchange_n(&s->asleep.word, 0, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&s->bell.word, 1, __ATOMIC_SEQ_CST);
	futex_wake(&s->bell.word, INT_MAX);
}

static __attribute__((noinline)) void wait_credit(uint64_t upto) {
	for (int i = 0; spins && i < SPIN_LOOKS; i++) {
		if (credit(upto))
			return;
		pause_for(POLL_PAUSES);
	}
	for (int i = 0; i < YIELDS; i++) {
		if (credit(upto))
			return;
		sched_yield();
	}
	for (;;) {
		uint32_t old = load_acquire(&s->credit.word);
		if (credit(upto))
			break;
		/* Room for more than one batch, or it would be woken for each. */
		store_relaxed(&s->wake_by.word, slowest);
		__atomic_exchange_n(&s->wake_at.word, upto - mask - 1 + mask / 2, __ATOMIC_SEQ_CST);
		if (credit(upto))
			break;
		futex_wait(&s->credit.word, old);
	}
	store_relaxed(&s->wake_at.word, 0);
}

static inline void commit(uint64_t first, uint64_t first_seq) {
	store_release(&at(first)->sequence, first_seq);
	if (fenced)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(load_relaxed(&s->asleep.word) != 0, 0))
		wake_consumers();
}

static inline __attribute__((always_inline)) void send_sized(uint64_t from, uint64_t to, size_t size) {
	uint64_t frame = (HEADER + size + 15) & ~15ull, lap = mask + 1;
	while (from < to) {
		uint64_t stop = from + batch < to ? from + batch : to, n = stop - from;
		/* Room for the chain before it begins: nobody can release its parts. */
		if (__builtin_expect(pos + (n + 1) * frame + HEADER > limit, 0))
			wait_credit(pos + (n + 1) * frame + HEADER);
		uint64_t first = pos, first_seq = seq;
		for (; from < stop; from++) {
			uint64_t off = pos & mask, pad = off + frame > lap ? lap - off : 0, next = pos + pad + frame;
			if (__builtin_expect(pad != 0, 0)) {
				header *h = at(pos);
				h->length = (uint32_t)pad - HEADER;
				h->flags = PAD;
				if (pos != first)
					store_relaxed(&h->sequence, seq);
				pos += pad;
			}
			header *h = at(pos);
			h->length = (uint32_t)size;
			h->type = h->flags = 0;
			fill(h + 1, size, from);
			store_relaxed(&at(next)->sequence, 0);
			if (pos != first)
				store_relaxed(&h->sequence, seq);
			pos = next;
			seq++;
		}
		commit(first, first_seq);
	}
}

static void send(uint64_t from, uint64_t to) {
	if (size == 64)
		send_sized(from, to, 64);
	else
		send_sized(from, to, size);
}

static void finish(void) {
	if (pos + 2 * HEADER > limit)
		wait_credit(pos + 2 * HEADER);
	header *h = at(pos);
	h->length = 0;
	h->flags = END_OF_STREAM;
	commit(pos, seq);
}

/* A consumer. */

static uint64_t released, missed;
static int slip, me;

static void release(void) {
	store_release(&s->cursor[me].word, released = pos);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	uint64_t at = load_acquire(&s->wake_at.word);
	if (at && pos >= at && load_relaxed(&s->wake_by.word) == (uint32_t)me &&
	    __atomic_exchange_n(&s->wake_at.word, 0, __ATOMIC_SEQ_CST)) {
		__atomic_add_fetch(&s->credit.word, 1, __ATOMIC_SEQ_CST);
		futex_wake(&s->credit.word, 1);
	}
}

static inline int there(void) { return load_acquire(&at(pos)->sequence) == seq; }

static int spin(void) {
	uint64_t run = seq - missed;
	missed = seq;
	if (slip) {
		if (run <= 2)
			slip = 0;
		pause_for(slip);
	}
	for (int looks = 0; looks < SPIN_LOOKS; looks++) {
		if (there()) {
			slip = looks >= DENSE_LOOKS ? 0 : slip < SLIP_MOST ? slip + SLIP_STEP : SLIP_MOST;
			return 1;
		}
		pause_for(POLL_PAUSES);
	}
	return 0;
}

static __attribute__((noinline)) void miss(void) {
	if (spins && spin())
		return;
	if (released != pos)
		release();
	for (int i = 0; i < YIELDS; i++) {
		sched_yield();
		if (there())
			return;
	}
	for (;;) {
		uint32_t old = load_acquire(&s->bell.word);
		__atomic_exchange_n(&s->asleep.word, 1, __ATOMIC_SEQ_CST);
		if (!fenced)
			syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
		if (there())
			return;
		futex_wait(&s->bell.word, old);
	}
}

static uint64_t receive(uint64_t from, uint64_t to) {
	uint64_t sixteenth = (mask + 1) / 16;
	while (from < to) {
		if (!there())
			miss();
		header *h = at(pos);
		if (__builtin_expect(h->flags != 0, 0)) {
			if (h->flags == END_OF_STREAM)
				return from;
			pos += HEADER + h->length;
			continue;
		}
		if (h->length != size)
			die("wanted %zu bytes, found %u", size, h->length);
		if (size == 64)
			check(h + 1, 64, from++);
		else
			check(h + 1, size, from++);
		pos += (HEADER + h->length + 15) & ~15ull;
		seq++;
		if (pos - released >= sixteenth)
			release();
	}
	return from;
}

int main(void) {
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	begin();
	int side = (int)job_number("side");
	size = job_number("size");
	batch = job_number("batch");
	consumers = (int)job_number("consumers");
	if (consumers > MOST)
		die("wanted at most %d consumers, found %d", MOST, consumers);
	spins = consumers < cpus;
	size_t all;
	s = memory(&all);
	mask = all - sizeof *s - 1;
	limit = mask + 1;
	if (side == 0 && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0))
		store_release(&s->fenced.word, 1);
	meet(&s->met.word);
	fenced = (int)load_acquire(&s->fenced.word);
	uint64_t n = warmup(size), step = stride(size);
	if (side == 0) {
		send(0, n);
		int64_t span = job_number("span"), start = now();
		for (; now() - start < span; n += step)
			send(n, n + step);
		finish();
		outcome_rate("published", n, n - warmup(size), now() - start);
		return 0;
	}
	me = side - 1;
	receive(0, n);
	int64_t start = now();
	n = receive(n, UINT64_MAX);
	outcome_rate("rate", n, n - warmup(size), now() - start);
	return 0;
}
