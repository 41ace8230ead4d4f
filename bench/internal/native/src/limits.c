/*
 * What the machine can do at best, whatever the program: how long one cache
 * line or two take to the other CPU and back, how long two sleepers take to wake each
 * other, how fast memory is copied and how fast lines are read that are dirty
 * in the other CPU's cache.
 */
#include "side.h"

typedef struct {
	uint64_t first;
	char pad0[56];
	uint64_t second;
	char pad1[184];
} lines;

typedef struct {
	uint32_t met;
	char pad0[252];
	lines there, back;
	uint32_t asleep[128];
	char block[];
} shared;

static shared *s;
static int side;

/* Pauses between two looks: what gave the shortest round trips. */
#define POLL_PAUSES 3
#define POLL_PAUSES_TWO 6
#define END (1ull << 62)

static inline void await(uint64_t *word, uint64_t value) {
	while (load_acquire(word) != value)
		pause_for(POLL_PAUSES);
}

/* One word that both write: side 0 the odd numbers, side 1 the even ones. */
static void put_word(int from, uint64_t n) { store_release(&s->there.first, 2 * n - 1 + from); }
static int got_word(int from, uint64_t n) { return load_acquire(&s->there.first) == 2 * n - 1 + from; }

/* A line for each direction. */
static void put_one(int from, uint64_t n) { store_release(from ? &s->back.first : &s->there.first, n); }
static int got_one(int from, uint64_t n) { return load_acquire(from ? &s->back.first : &s->there.first) == n; }

/* Two lines for each direction, as a message of 64 bytes has that brings a
 * commit word: whoever sees the first reads the second. */
static void put_two(int from, uint64_t n) {
	lines *l = from ? &s->back : &s->there;
	store_relaxed(&l->second, n);
	store_release(&l->first, n);
}

static int got_two(int from, uint64_t n) {
	lines *l = from ? &s->back : &s->there;
	if (load_acquire(&l->first) != n)
		return 0;
	if (load_relaxed(&l->second) != n)
		die("wanted both lines of %llu, found one", (unsigned long long)n);
	return 1;
}

#define BOUNCE(name, put, got, pauses)											\
	static void trip_##name(uint64_t n) {										\
		put(0, n + 1);												\
		while (!got(1, n + 1))											\
			pause_for(pauses);										\
	}														\
	static void bounce_##name(void) {										\
		if (side == 0) {											\
			ROUND_TRIPS(trip_##name);									\
			put(0, END);											\
			return;												\
		}													\
		uint64_t n = 0;												\
		for (;; n++) {												\
			while (!got(0, n + 1)) {									\
				if (got(0, END)) {									\
					outcome(n);									\
					return;										\
				}											\
				pause_for(pauses);									\
			}												\
			put(1, n + 1);											\
		}													\
	}

BOUNCE(word, put_word, got_word, POLL_PAUSES)
BOUNCE(one, put_one, got_one, POLL_PAUSES)
BOUNCE(two, put_two, got_two, POLL_PAUSES_TWO)

/* Each side sleeps on a word of its own until the other has moved it. */
static void rouse(int whom, uint32_t value) {
	store_release(&s->asleep[64 * whom], value);
	futex_wake(&s->asleep[64 * whom], 1);
}

static uint32_t slumber(int who, uint32_t old) {
	uint32_t v;
	while ((v = load_acquire(&s->asleep[64 * who])) == old)
		futex_wait(&s->asleep[64 * who], old);
	return v;
}

static void trip_futex(uint64_t n) {
	rouse(1, (uint32_t)n + 1);
	slumber(0, (uint32_t)n);
}

static void futexes(void) {
	if (side == 0) {
		ROUND_TRIPS(trip_futex);
		rouse(1, UINT32_MAX);
		return;
	}
	uint32_t n = 0;
	for (; slumber(1, n) != UINT32_MAX; n++)
		rouse(0, n + 1);
	outcome(n);
}

/* The rate is in messages, of the job's size; GB/s follow from it. */
static void copies(void) {
	size_t size = job_number("size");
	char *from = malloc(size), *to = malloc(size);
	memset(from, 1, size);
	memset(to, 2, size);
	uint64_t n = 0, step = 1 + (1 << 20) / size;
	int64_t span = job_number("span"), start = now(), end;
	do {
		for (uint64_t i = 0; i < step; i++) {
			memcpy(to, from, size);
			__asm__ __volatile__("" ::"r"(to) : "memory");
		}
		n += step;
		end = now();
	} while (end - start < span);
	outcome_rate("rate", n, n, end - start);
}

/* Side 0 writes a block of the job's size, side 1 reads it and is timed. */
static void dirty(void) {
	size_t size = job_number("size");
	int64_t span = job_number("span"), reading = 0, end = now() + span, warm = now() + span / 8;
	uint64_t n = 0, measured = 0;
	if (side == 0) {
		for (; now() < end; n++) {
			fill(s->block, size, n);
			store_release(&s->there.first, n + 1);
			await(&s->back.first, n + 1);
		}
		store_release(&s->there.first, END);
		outcome(n);
		return;
	}
	for (uint64_t v;; n++) {
		while ((v = load_acquire(&s->there.first)) != n + 1 && v != END)
			pause_for(POLL_PAUSES);
		if (v == END)
			break;
		int64_t start = now();
		check(s->block, size, n);
		if (start >= warm) {
			reading += now() - start;
			measured++;
		}
		store_release(&s->back.first, n + 1);
	}
	outcome_rate("rate", n, measured, reading ? reading : 1);
}

int main(void) {
	const char *mode = job_text("mode");
	begin();
	side = (int)job_number("side");
	if (!strcmp(mode, "copy")) {
		copies();
		return 0;
	}
	size_t size;
	s = memory(&size);
	meet(&s->met);
	if (!strcmp(mode, "one word"))
		bounce_word();
	else if (!strcmp(mode, "one line"))
		bounce_one();
	else if (!strcmp(mode, "two lines"))
		bounce_two();
	else if (!strcmp(mode, "futex"))
		futexes();
	else if (!strcmp(mode, "dirty"))
		dirty();
	else
		die("no mode \"%s\"", mode);
	return 0;
}
