/*
 * A ring for one producer and one consumer with the commit word in the record,
 * as fast as we can make one: what the Go ring is measured against. The frames
 * are the same (a header of 16 bytes, the sequence first and stored last, and
 * multiples of 16), so is the order of stores, and so are the sizes. It has
 * nothing else: no recovery, no joining, no sleeping, no checks.
 */
#include "side.h"

enum {
	HEADER = 16,
	POLL_PAUSES = 6,  /* between two looks when records come sparsely */
	SLIP_MOST = 150,  /* pauses by which a consumer that keeps catching up slips back */
	SLIP_STEP = 25,
	DENSE_LOOKS = 3,
};

/* The producer's and the consumer's words have lines of their own. */
typedef struct {
	uint64_t cursor; /* how far the consumer has released */
	char pad[248];
} words;

typedef struct {
	uint32_t met;
	char pad[252];
	words of[2];
	char bytes[];
} shared;

typedef struct {
	uint64_t sequence;
	uint32_t length;
	uint16_t type, flags; /* flags 1: filler */
} header;

typedef struct {
	char *base;
	uint64_t mask, *cursor;
	uint64_t pos, seq;   /* next to write, or to read */
	uint64_t limit;      /* the producer may write below it */
	uint64_t released;   /* the consumer's last cursor */
	uint64_t missed;     /* sequence at the last look that found nothing */
	int slip;
} end;

static size_t size;
static uint64_t batch;

static inline header *at(end *e, uint64_t pos) { return (header *)(e->base + (pos & e->mask)); }

static inline uint64_t frame_size(size_t n) { return (HEADER + n + 15) & ~15ull; }

static __attribute__((noinline)) void wait_credit(end *e, uint64_t upto) {
	uint64_t c;
	while ((c = load_acquire(e->cursor)) + e->mask + 1 < upto)
		pause_for(10);
	e->limit = c + e->mask + 1;
}

/* send puts messages from..to on the ring and commits so many at a time. Of a
 * chain all words but the first are stored as it is written, and the first last. */
static inline __attribute__((always_inline)) void send_sized(end *e, uint64_t from, uint64_t to, size_t size) {
	uint64_t frame = frame_size(size), lap = e->mask + 1;
	while (from < to) {
		uint64_t stop = from + batch < to ? from + batch : to;
		uint64_t first = e->pos, first_seq = e->seq;
		for (; from < stop; from++) {
			uint64_t off = e->pos & e->mask, pad = off + frame > lap ? lap - off : 0;
			uint64_t next = e->pos + pad + frame;
			if (__builtin_expect(next + HEADER > e->limit, 0))
				wait_credit(e, next + HEADER);
			if (__builtin_expect(pad != 0, 0)) {
				header *h = at(e, e->pos);
				h->length = (uint32_t)pad - HEADER;
				h->flags = 1;
				if (e->pos != first)
					store_relaxed(&h->sequence, e->seq);
				e->pos += pad;
			}
			header *h = at(e, e->pos);
			h->length = (uint32_t)size;
			h->type = h->flags = 0;
			fill(h + 1, size, from);
			store_relaxed(&at(e, next)->sequence, 0);
			if (e->pos != first)
				store_relaxed(&h->sequence, e->seq);
			e->pos = next;
			e->seq++;
		}
		store_release(&at(e, first)->sequence, first_seq);
	}
}

/* miss waits for a record at the consumer's position. */
static __attribute__((noinline)) void miss(end *e) {
	uint64_t run = e->seq - e->missed, *word = &at(e, e->pos)->sequence;
	e->missed = e->seq;
	if (e->slip) {
		if (run <= 2)
			e->slip = 0;
		pause_for(e->slip);
	}
	for (uint64_t looks = 0;; looks++) {
		if (load_acquire(word) == e->seq) {
			e->slip = looks >= DENSE_LOOKS ? 0 : e->slip < SLIP_MOST ? e->slip + SLIP_STEP : SLIP_MOST;
			return;
		}
		pause_for(POLL_PAUSES);
	}
}

#define END_OF_STREAM 2

/* receive checks messages from..to and returns which comes next: less than to
 * at the end of the stream. */
static inline __attribute__((always_inline)) uint64_t receive_sized(end *e, uint64_t from, uint64_t to, size_t size) {
	uint64_t sixteenth = (e->mask + 1) / 16;
	while (from < to) {
		header *h = at(e, e->pos);
		if (load_acquire(&h->sequence) != e->seq)
			miss(e);
		if (__builtin_expect(h->flags != 0, 0)) {
			if (h->flags == END_OF_STREAM)
				return from;
			e->pos += HEADER + h->length;
			continue;
		}
		if (h->length != size)
			die("wanted %zu bytes, found %u", size, h->length);
		check(h + 1, size, from++);
		e->pos += frame_size(h->length);
		e->seq++;
		if (e->pos - e->released >= sixteenth)
			store_release(e->cursor, e->released = e->pos);
	}
	return from;
}

static void send(end *e, uint64_t from, uint64_t to) {
	switch (size) {
	case 8: send_sized(e, from, to, 8); return;
	case 32: send_sized(e, from, to, 32); return;
	case 64: send_sized(e, from, to, 64); return;
	default: send_sized(e, from, to, size); return;
	}
}

static uint64_t receive(end *e, uint64_t from, uint64_t to) {
	switch (size) {
	case 8: return receive_sized(e, from, to, 8);
	case 32: return receive_sized(e, from, to, 32);
	case 64: return receive_sized(e, from, to, 64);
	default: return receive_sized(e, from, to, size);
	}
}

static void finish(end *e) {
	uint64_t off = e->pos & e->mask;
	if (e->pos + 2 * HEADER > e->limit)
		wait_credit(e, e->pos + 2 * HEADER);
	header *h = (header *)(e->base + off);
	h->length = 0;
	h->flags = END_OF_STREAM;
	store_release(&h->sequence, e->seq);
}

static end in, out;

static void trip(uint64_t n) {
	send(&out, n, n + 1);
	receive(&in, n, n + 1);
}

int main(void) {
	begin();
	int side = (int)job_number("side");
	size = job_number("size");
	batch = job_number("batch");
	int64_t span = job_number("span");
	size_t all;
	shared *s = memory(&all);
	uint64_t capacity = (all - sizeof *s) / 2;
	for (int i = 0; i < 2; i++) {
		end *e = i == side ? &out : &in;
		e->base = s->bytes + i * capacity;
		e->mask = capacity - 1;
		e->cursor = &s->of[i].cursor;
		e->limit = capacity;
		e->seq = 1;
	}
	meet(&s->met);
	if (!strcmp(job_text("mode"), "round trip")) {
		if (side == 0) {
			ROUND_TRIPS(trip);
			finish(&out);
			return 0;
		}
		uint64_t n = 0;
		for (; receive(&in, n, n + 1) > n; n++)
			send(&out, n, n + 1);
		outcome(n);
		return 0;
	}
	uint64_t n = warmup(size), step = stride(size);
	if (side == 0) {
		send(&out, 0, n);
		for (int64_t start = now(); now() - start < span; n += step)
			send(&out, n, n + step);
		finish(&out);
		outcome(n);
		return 0;
	}
	receive(&in, 0, n);
	int64_t start = now();
	n = receive(&in, n, UINT64_MAX);
	outcome_rate("rate", n, n - warmup(size), now() - start);
	return 0;
}
