/* SPDX-License-Identifier: MIT */
/* Threads of a process that use private memory at the same time. */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker.h"

enum {
	THREADS = 3,
	ROUNDS = 4,
};

/* Every THREADSth page, from the first on, is this thread's. */
struct part {
	pthread_t thread;
	struct range range;
	uint32_t first;
	uint64_t value;
	uint32_t wrong;
};

static void *part_run(void *argument)
{
	struct part *part = argument;
	uint32_t hash[ARENA_PAGES] = {0};

	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = part->first; i < part->range.pages; i += THREADS) {
			char *page = range_address(&part->range) + (uint64_t)i * PAGE;

			part->wrong += round > 0 && touch_hash(page) != hash[i];
			touch_fill(page, part->value + round * 1000 + i);
			hash[i] = touch_hash(page);
		}
	}
	return NULL;
}

static uint32_t child_reads(const struct range *range)
{
	uint32_t holes = 0;

	for (uint32_t i = 0; i < range->pages; i++)
		holes += touch_hash(range_address(range) + (uint64_t)i * PAGE) == 1;
	return holes;
}

/* What changes nothing, done while they run. */
static void disturb(struct worker *w, const struct range *range)
{
	char *address = range_address(range);
	uint64_t length = (uint64_t)range->pages * PAGE;

	switch (pick(w, 6)) {
	case 0:
		if (fork() == 0)
			_exit((int)child_reads(range));
		break;
	case 1:
		madvise(address, length, MADV_PAGEOUT);
		break;
	case 2:
		madvise(address, length, MADV_WILLNEED);
		break;
	case 3:
		msync(address, length, MS_SYNC);
		break;
	case 4:
		munmap(mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),
		       16 * PAGE);
		break;
	default:
		usleep(1000);
	}
}

void step_threads(struct worker *w)
{
	struct part part[THREADS];
	struct range range = pick_range(w);
	uint64_t value = random_next(&w->random);
	uint32_t wrong = 0, turns = pick(w, 5);

	report(&w->report, "threads ");
	report_address(&w->report, &w->space, range_address(&range));
	report(&w->report, " %u pages:", range.pages);
	if (!range_private(&range)) {
		report(&w->report, " left out");
		return;
	}
	for (uint32_t i = 0; i < THREADS; i++) {
		part[i] = (struct part){.range = range, .first = i, .value = value + i * 7};
		if (pthread_create(&part[i].thread, NULL, part_run, &part[i]) != 0)
			_exit(2);
	}
	for (uint32_t i = 0; i < turns; i++)
		disturb(w, &range);
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(part[i].thread, NULL);
		wrong += part[i].wrong;
	}
	if (wrong)
		report(&w->report, " %u WRONG", wrong);
	touch_load(w, &range);
}
