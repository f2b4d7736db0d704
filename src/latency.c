/* SPDX-License-Identifier: MIT */
/* Low latency: what is done, while events come fast, so that no answer waits for a processor. */
#include <limits.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core.h"

#define BUSY_EVENTS 64u /* faults and requests in a window that make it busy */
#define WINDOW_NS   20000000ull
#define POLL_NS	    100000ull /* a fast device has answered by then, or it is none */
#define LOOKS	    32	      /* between two of the clock */
#define SWITCH_NS   50000ull  /* that many looks take less, unless another thread ran meanwhile */
#define CROWDED_NS  1000000ull

/* Of all pagers: their processors are the same. */
static atomic_uint busy_pagers;

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

static void busy_set(struct pager *pager, bool busy)
{
	if (busy != pager->latency.busy)
		atomic_fetch_add(&busy_pagers, busy ? 1u : -1u);
	pager->latency.busy = busy;
	if (pager->config.low_latency == 2)
		hold(pager, busy);
}

void latency_start(struct pager *pager)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pager->latency.busy_most = processors > 3 ? (uint32_t)processors / 2 : 1;
	hold(pager, pager->config.low_latency == 1);
}

void latency_stop(struct pager *pager)
{
	busy_set(pager, false);
	hold(pager, false);
}

void latency_update(struct pager *pager)
{
	struct latency *latency = &pager->latency;
	if (!pager->config.low_latency || pager->config.latency_fd < 0)
		return;
	if (latency->events >= BUSY_EVENTS) {
		busy_set(pager, true);
	} else {
		if (pager->now_ns - latency->window_ns <= WINDOW_NS)
			return;
		if (!latency->events)
			busy_set(pager, false);
	}
	latency->events = 0;
	latency->window_ns = pager->now_ns;
}

uint64_t latency_window_ns(const struct pager *pager)
{
	return pager->latency.busy ? WINDOW_NS : 0;
}

/* Is there a completion, or work of the kernel's that may make one? Reads memory, no more: the
 * other processor may share its core with this one. */
static bool ring_stirs(const struct pager *pager)
{
	return io_uring_cq_ready(&pager->ring) || ring_tasks(pager);
}

bool latency_polls(const struct pager *pager)
{
	const struct latency *latency = &pager->latency;
	return latency->held &&
	       atomic_load_explicit(&busy_pagers, memory_order_relaxed) <= latency->busy_most;
}

bool latency_poll(struct pager *pager)
{
	struct latency *latency = &pager->latency;
	uint64_t start = clock_ns(), now = start, last;
	if (!latency_polls(pager) || start < latency->crowded_ns)
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
