/*
 * ZeroMQ between two processes. One way PUSH to PULL, there and back two PAIR
 * sockets, over the ipc transport. An empty message ends the stream.
 */
#include "side.h"

#include <zmq.h>

static void *out, *in;
static char *message;
static size_t size;

static void *open_socket(void *context, int type, int binds) {
	char address[320];
	int mark = 100000, linger = -1;
	snprintf(address, sizeof address, "ipc://%s/zeromq", job_text("dir"));
	void *s = zmq_socket(context, type);
	zmq_setsockopt(s, ZMQ_SNDHWM, &mark, sizeof mark);
	zmq_setsockopt(s, ZMQ_RCVHWM, &mark, sizeof mark);
	zmq_setsockopt(s, ZMQ_LINGER, &linger, sizeof linger);
	/* Whoever connects first waits, so that nothing is connected again. */
	while (!binds && access(address + strlen("ipc://"), F_OK))
		sched_yield();
	if (binds ? zmq_bind(s, address) : zmq_connect(s, address))
		die("%s: %s", address, zmq_strerror(zmq_errno()));
	return s;
}

static void send(uint64_t from, uint64_t to) {
	for (; from < to; from++) {
		fill(message, size, from);
		if (zmq_send(out, message, size, 0) < 0)
			die("zmq_send: %s", zmq_strerror(zmq_errno()));
	}
}

static void finish(void) {
	if (zmq_send(out, "", 0, 0) < 0)
		die("zmq_send: %s", zmq_strerror(zmq_errno()));
}

static uint64_t receive(uint64_t from, uint64_t to) {
	for (; from < to; from++) {
		int n = zmq_recv(in, message, size, 0);
		if (n < 0)
			die("zmq_recv: %s", zmq_strerror(zmq_errno()));
		if (n == 0)
			return from;
		if ((size_t)n != size)
			die("wanted %zu bytes, found %d", size, n);
		check(message, size, from);
	}
	return from;
}

static void trip(uint64_t n) {
	send(n, n + 1);
	receive(n, n + 1);
}

int main(void) {
	begin();
	int side = (int)job_number("side"), there_and_back = !strcmp(job_text("mode"), "round trip");
	size = job_number("size");
	message = malloc(size);
	void *context = zmq_ctx_new();
	if (there_and_back)
		in = out = open_socket(context, ZMQ_PAIR, side == 1);
	else if (side == 0)
		out = open_socket(context, ZMQ_PUSH, 0);
	else
		in = open_socket(context, ZMQ_PULL, 1);
	uint64_t n = 0, step = stride(size);
	if (there_and_back && side == 0) {
		ROUND_TRIPS(trip);
		finish();
	} else if (there_and_back) {
		for (; receive(n, n + 1) > n; n++)
			send(n, n + 1);
		outcome(n);
	} else if (side == 0) {
		n = warmup(size);
		send(0, n);
		int64_t span = job_number("span");
		for (int64_t start = now(); now() - start < span; n += step)
			send(n, n + step);
		finish();
		outcome(n);
	} else {
		receive(0, warmup(size));
		int64_t start = now();
		n = receive(warmup(size), UINT64_MAX);
		outcome_rate("rate", n, n - warmup(size), now() - start);
	}
	if (in)
		zmq_close(in);
	if (out && out != in)
		zmq_close(out);
	zmq_ctx_term(context);
	return 0;
}
