/*
 * Boost.Interprocess message_queue between two processes, one queue for each
 * direction. An empty message ends the stream. The bench removes the queues.
 */
#include "side.h"

#include <boost/interprocess/ipc/message_queue.hpp>
#include <memory>
#include <string>

using boost::interprocess::message_queue;

static std::unique_ptr<message_queue> out, in;
static char *message;
static size_t size;

static std::unique_ptr<message_queue> open_queue(int number) {
	using namespace boost::interprocess;
	std::string name = std::string(job_text("link")) + "-" + std::to_string(number);
	size_t depth = (1 << 20) / size;
	depth = depth > 4096 ? 4096 : depth;
	return std::make_unique<message_queue>(open_or_create, name.c_str(), depth, size);
}

static void send_all(uint64_t from, uint64_t to) {
	for (; from < to; from++) {
		fill(message, size, from);
		out->send(message, size, 0);
	}
}

static uint64_t receive(uint64_t from, uint64_t to) {
	for (; from < to; from++) {
		message_queue::size_type n;
		unsigned priority;
		in->receive(message, size, n, priority);
		if (n == 0)
			return from;
		if (n != size)
			die("wanted %zu bytes, found %zu", size, (size_t)n);
		check(message, size, from);
	}
	return from;
}

static void trip(uint64_t n) {
	send_all(n, n + 1);
	receive(n, n + 1);
}

int main() try {
	begin();
	int side = (int)job_number("side");
	size = job_number("size");
	message = (char *)malloc(size);
	out = open_queue(side);
	in = open_queue(1 - side);
	uint64_t n = 0, step = stride(size);
	if (!strcmp(job_text("mode"), "round trip")) {
		if (side == 0) {
			ROUND_TRIPS(trip);
			out->send("", 0, 0);
			return 0;
		}
		for (; receive(n, n + 1) > n; n++)
			send_all(n, n + 1);
		outcome(n);
	} else if (side == 0) {
		n = warmup(size);
		send_all(0, n);
		int64_t span = job_number("span");
		for (int64_t start = now(); now() - start < span; n += step)
			send_all(n, n + step);
		out->send("", 0, 0);
		outcome(n);
	} else {
		receive(0, warmup(size));
		int64_t start = now();
		n = receive(warmup(size), UINT64_MAX);
		outcome_rate("rate", n, n - warmup(size), now() - start);
	}
	return 0;
} catch (const std::exception &e) {
	die("boost: %s", e.what());
}
