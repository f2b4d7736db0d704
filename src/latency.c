/* SPDX-License-Identifier: MIT */
/* Low latency: what is done, while events come fast, so that no answer waits for a processor. */
#include <limits.h>
#include <unistd.h>

#include "core.h"

#define BUSY_EVENTS 64u /* faults and requests in a window that make it busy */
#define WINDOW_NS   20000000ull
#define POLL_NS	    100000ull /* a fast device has answered by then, or it is none */
#define LOOKS	    32	      /* between two of the clock */
#define SWITCH_NS   50000ull  /* that many looks take less, unless another thread ran meanwhile */
#define CROWDED_NS  1000000ull

static inline void processor_relax(void)
{
#if defined __x86_64__ || defined __i386__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

static void hold(struct pager *pager, bool held)
{
	int32_t microseconds = held ? 0 : INT_MAX;
	if (held == pager->latency.held || pager->config.latency_fd < 0)
		return;
	if (write(pager->config.latency_fd, &microseconds, sizeof microseconds) < 0)
		return; /* a hint: the kernel may not have it */
	pager->latency.held = held;
}

void latency_start(struct pager *pager)
{
	hold(pager, pager->config.low_latency == 1);
}

void latency_stop(struct pager *pager)
{
	hold(pager, false);
}

void latency_update(struct pager *pager)
{
	struct latency *latency = &pager->latency;
	if (pager->config.low_latency != 2)
		return;
	if (latency->events >= BUSY_EVENTS) {
		hold(pager, true);
	} else {
		if (pager->now_ns - latency->window_ns <= WINDOW_NS)
			return;
		if (!latency->events)
			hold(pager, false);
	}
	latency->events = 0;
	latency->window_ns = pager->now_ns;
}

uint64_t latency_window_ns(const struct pager *pager)
{
	return pager->latency.held && pager->config.low_latency == 2 ? WINDOW_NS : 0;
}

/* Is there a completion, or work of the kernel's that may make one? Reads memory, no more: the
 * other processor may share its core with this one. */
static bool ring_stirs(const struct pager *pager)
{
	return io_uring_cq_ready(&pager->ring) || ring_tasks(pager);
}

bool latency_poll(struct pager *pager)
{
	struct latency *latency = &pager->latency;
	uint64_t start = clock_ns(), now = start, last;
	if (!latency->held || start < latency->crowded_ns)
		return false;
	if (io_uring_sq_ready(&pager->ring))
		io_uring_submit(&pager->ring);
	do {
		for (int i = 0; i < LOOKS; i++) {
			if (ring_stirs(pager)) {
				io_uring_get_events(&pager->ring);
				return true;
			}
			processor_relax();
		}
		last = now;
		now = clock_ns();
		if (now - last > SWITCH_NS)
			latency->crowded_ns = now + CROWDED_NS;
	} while (now - start < POLL_NS && now >= latency->crowded_ns);
	return false;
}
