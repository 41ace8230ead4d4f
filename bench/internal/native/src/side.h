/*
 * What the C programs of the bench share. Each is one side of a measurement:
 * it finds its job in the environment, meets the other sides in a file of
 * shared memory, and prints what it found as one JSON object. It ends when its
 * standard input does, so that none outlives the bench.
 */
#ifndef SIDE_H
#define SIDE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
#define CAST(t, e) static_cast<t>(e)
#else
#define CAST(t, e) (e)
#endif

static inline void die(const char *format, ...) {
	va_list args;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

/* The job: key=value, one a line. */

static const char *job_text(const char *key) {
	static char buf[8][256];
	static int turn;
	const char *p = getenv("CAROUSEL_BENCH_JOB");
	size_t n = strlen(key);
	for (; p && *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, key, n) && p[n] == '=') {
			char *b = buf[turn++ & 7];
			snprintf(b, sizeof buf[0], "%.*s", (int)strcspn(p + n + 1, "\n"), p + n + 1);
			return b;
		}
	return "";
}

static long job_number(const char *key) { return strtol(job_text(key), NULL, 10); }

/* Memory: atomics, pauses, the clock. */

#define load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define load_relaxed(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define store_relaxed(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

static inline void pause_for(int n) {
	while (n-- > 0) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		__asm__ __volatile__("isb" ::: "memory");
#else
		__asm__ __volatile__("" ::: "memory");
#endif
	}
}

static inline int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Messages: number n in every word. */

static inline void fill(void *p, size_t size, uint64_t n) {
	uint64_t *w = CAST(uint64_t *, p);
	for (size_t i = 0; i < size / 8; i++)
		w[i] = n;
}

static inline void check(const void *p, size_t size, uint64_t n) {
	const uint64_t *w = CAST(const uint64_t *, p);
	uint64_t wrong = 0;
	for (size_t i = 0; i < size / 8; i++)
		wrong |= w[i] ^ n;
	if (__builtin_expect(wrong != 0, 0))
		die("wanted message %llu, found something else", (unsigned long long)n);
}

/* How many messages warm everything up, and how many are sent between two
 * looks at the clock: the same as in the Go sides. */
static inline uint64_t warmup(size_t size) { return size <= 4096 ? 1 << 14 : 1 << 8; }
static inline uint64_t stride(size_t size) { return size <= 4096 ? 1 << 10 : 1 << 4; }

/* The sides meet. */

static void *until_end_of_input(void *unused) {
	char b[64];
	while (read(0, b, sizeof b) > 0)
		;
	_exit(1);
	return unused;
}

static inline void pin(void) {
	const char *text = job_text("cpus");
	cpu_set_t set;
	CPU_ZERO(&set);
	if (!*text)
		return;
	for (char *end; *text; text = *end ? end + 1 : end)
		CPU_SET(strtol(text, &end, 10), &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("sched_setaffinity: %s", strerror(errno));
}

/* begin pins the process and guards it. */
static inline void begin(void) {
	pthread_t thread;
	pin();
	if (pthread_create(&thread, NULL, until_end_of_input, NULL))
		die("pthread_create failed");
}

/* memory maps the file in which the sides meet. */
static inline void *memory(size_t *size) {
	char path[320];
	struct stat st;
	snprintf(path, sizeof path, "/dev/shm/%s", job_text("link"));
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	void *p = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		die("%s: mmap: %s", path, strerror(errno));
	close(fd);
	*size = st.st_size;
	return p;
}

/* meet waits for all sides; it must not burn what another needs to arrive. */
static inline void meet(uint32_t *word) {
	uint32_t all = (uint32_t)job_number("sides");
	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
	while (load_acquire(word) < all)
		sched_yield();
}

static inline long futex_wait(uint32_t *word, uint32_t value) {
	return syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static inline long futex_wake(uint32_t *word, int n) { return syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0); }

/* Histogram of nanoseconds: exact below 64 Ki, then 1024 for each doubling. */

enum { H_LEAST = 100, H_EXACT = 1 << 16, H_STEPS = 1 << 10, H_DOUBLINGS = 26 };
static uint32_t h_counts[H_EXACT + H_STEPS * H_DOUBLINGS];
static uint64_t h_total;

static inline void record(int64_t v) {
	size_t i = v < 1 ? 1 : (size_t)v;
	if (i >= H_EXACT) {
		int e = 63 - __builtin_clzll(i) - 16;
		if (e >= H_DOUBLINGS)
			e = H_DOUBLINGS - 1;
		i = H_EXACT + e * H_STEPS + ((i >> (e + 6)) & (H_STEPS - 1));
	}
	h_counts[i]++;
	h_total++;
}

static inline double quantile(double q) {
	uint64_t want = (uint64_t)(q * h_total), seen = 0;
	size_t i = 0, top = sizeof h_counts / sizeof h_counts[0];
	for (; i < top && (seen += h_counts[i]) <= want; i++)
		;
	if (i < H_EXACT)
		return (double)i;
	i -= H_EXACT;
	return (double)(((uint64_t)(H_STEPS + i % H_STEPS)) << (i / H_STEPS + 6));
}

/* clock_cost is what the clock says that nothing takes. */
static inline int64_t clock_cost(void) {
	int64_t best[101];
	for (int i = 0; i < 101; i++) {
		int64_t start = now();
		for (int j = 0; j < 16; j++)
			now();
		best[i] = (now() - start) / 17;
		for (int j = i; j > 0 && best[j] < best[j - 1]; j--) {
			int64_t t = best[j];
			best[j] = best[j - 1];
			best[j - 1] = t;
		}
	}
	return best[50];
}

/* round_trips calls trip(n) again and again for the span, after an eighth of
 * it to warm up, and prints the outcome. */
#define ROUND_TRIPS(trip)                                                                                                       \
	do {                                                                                                                    \
		int64_t cost = clock_cost(), start = now(), span = job_number("span"), warm = start + span / 8;                 \
		uint64_t n = 0;                                                                                                 \
		while (start < warm + span || h_total < H_LEAST) {                                                                                   \
			trip(n);                                                                                                \
			n++;                                                                                                    \
			int64_t end = now();                                                                                    \
			if (start >= warm)                                                                                      \
				record(end - start - cost);                                                                     \
			start = end;                                                                                            \
		}                                                                                                               \
		printf("{\"messages\":%llu,\"values\":{\"p50\":%g,\"p90\":%g,\"p99\":%g}}\n", (unsigned long long)n,            \
		       quantile(.5), quantile(.9), quantile(.99));                                                              \
		fflush(stdout);                                                                                                 \
	} while (0)

static inline void outcome(uint64_t messages) {
	printf("{\"messages\":%llu}\n", (unsigned long long)messages);
	fflush(stdout);
}

/* outcome_rate is that of a side that moved so many messages since start. */
static inline void outcome_rate(const char *name, uint64_t all, uint64_t measured, int64_t elapsed) {
	printf("{\"messages\":%llu,\"values\":{\"%s\":%g}}\n", (unsigned long long)all, name, measured * 1e3 / elapsed);
	fflush(stdout);
}

#endif
