/* SPDX-License-Identifier: MIT */
/*
 * The loop that everything else is there for.
 *
 * A reference is a page, whose frame is in an array; both lie in cache lines that nothing predicts,
 * so they are fetched some references ahead: first the page's entry, later, when that has come, the
 * bytes that the policy has of the frame. The compiler makes one loop of each visibility, so that
 * none of them asks what it is.
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "policy/victims.h"

#define FRAME_NONE UINT32_MAX

#define FRAME_GIVEN UINT32_MAX /* in the place of its page, at the end of a run */
#define END_BATCH   64u

#define CHECK_PAGES 64u /* for an instance that is made only to look at its parameters */

#define LARGE_PAGE_BYTES ((size_t)2 << 20)

/* In references: long enough for memory to answer, short enough for what came to be there still. */
#define AHEAD_PAGE  48u
#define AHEAD_FRAME 16u

struct machine {
	const struct run_config *config;
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	struct references *references;
	const uint32_t *next;	 /* once somebody asked */
	uint64_t now;		 /* the reference that is being run */
	uint64_t aside_ns;	 /* spent on what counts for no run */
	uint32_t *frame_of_page; /* or FRAME_NONE */
	unsigned char *frame_bytes;
	uint32_t frames, used;
	struct sweep sweep;
	struct run_result *result;
	char wrong[100]; /* what the policy did that it must not */
};

static uint64_t cpu_ns(void)
{
	struct timespec time;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* ---- memory ------------------------------------------------------------------------------ */

/* Zero bytes, on large pages if the kernel has any: the arrays are looked into at random. */
static void *array_make(size_t bytes)
{
	bytes = (bytes + LARGE_PAGE_BYTES) & ~(LARGE_PAGE_BYTES - 1); /* and none is empty */
	void *array = aligned_alloc(LARGE_PAGE_BYTES, bytes);
	if (!array)
		return NULL;
	madvise(array, bytes, MADV_HUGEPAGE);
	return memset(array, 0, bytes);
}

static void machine_finish(struct machine *machine)
{
	if (machine->policy)
		machine->ops->destroy(machine->policy);
	free(machine->frame_of_page);
	free(machine->sweep.pages);
	sweep_finish(&machine->sweep);
	free(machine->frame_bytes);
}

static bool machine_alloc(struct machine *machine)
{
	size_t table_bytes = machine->references->pages * sizeof(uint32_t);
	machine->frame_of_page = array_make(table_bytes);
	machine->sweep.pages = array_make(machine->frames * sizeof(uint32_t));
	machine->frame_bytes = array_make((size_t)machine->frames * machine->ops->frame_bytes);
	if (machine->frame_of_page)
		memset(machine->frame_of_page, 0xff, table_bytes); /* FRAME_NONE */
	return machine->frame_of_page && machine->sweep.pages && machine->frame_bytes &&
	       (!machine->sweep.batch || sweep_init(&machine->sweep));
}

/* ---- the policy -------------------------------------------------------------------------- */

/* Only the first to ask waits for it to be computed. */
static void future_fetch(struct machine *machine)
{
	uint64_t begin = cpu_ns();
	machine->next = references_next(machine->references);
	machine->aside_ns += cpu_ns() - begin;
}

static uint64_t next_use(void *context, pagerd_page_t page)
{
	struct machine *machine = context;
	(void)page; /* it is the one that is being referenced */
	if (__builtin_expect(!machine->next, 0)) {
		future_fetch(machine);
		if (!machine->next)
			return UINT64_MAX;
	}
	uint32_t next = machine->next[machine->now];
	return next == REFERENCE_NEVER ? UINT64_MAX : next;
}

static void noted(void *context)
{
	const struct machine *machine = context;
	char text[512];
	while (machine->ops->note(machine->policy, text, sizeof text))
		fprintf(machine->config->notes, "%s, %llu pages, reference %llu: %s\n",
			machine->config->spec, (unsigned long long)machine->config->size_pages,
			(unsigned long long)machine->now, text);
}

static enum pagerd_uses uses_seen(enum visibility visibility)
{
	if (visibility == VISIBILITY_EXACT)
		return PAGERD_USES_ALL;
	return visibility == VISIBILITY_HARVEST ? PAGERD_USES_SOME : PAGERD_USES_NONE;
}

static int policy_make(struct machine *machine, const struct run_config *config, struct why *why)
{
	char reason[256] = "";
	struct pagerd_policy_env env = {
		.frame_limit = machine->frames,
		.capacity_pages = machine->frames,
		.frame_bytes = machine->frame_bytes,
		.parameters = config->parameters,
		.why = reason,
		.why_bytes = sizeof reason,
		.uses = uses_seen(config->visibility),
		.next_use = config->visibility == VISIBILITY_EXACT ? next_use : NULL,
		.next_use_context = machine,
		.references = machine->references->count,
		.noted = config->notes ? noted : NULL,
		.noted_context = machine,
	};
	int error = machine->ops->create(&machine->policy, &env);
	if (error == -ENOMEM)
		return why_say(why, error, "%s: no memory for %u pages", config->spec,
			       machine->frames);
	return error ? why_say(why, error, "%s: %s", config->spec, reason) : 0;
}

static int machine_init(struct machine *machine, const struct run_config *config,
			struct references *references, struct why *why)
{
	/* Frames beyond the footprint would never be used. */
	uint32_t frames = config->size_pages < references->pages ? (uint32_t)config->size_pages
								 : references->pages;
	*machine = (struct machine){
		.config = config,
		.ops = config->ops,
		.references = references,
		.frames = frames,
		.sweep = {.ops = config->ops, .frames = frames, .batch = config->harvest_frames},
	};
	int error = machine_alloc(machine) ? policy_make(machine, config, why)
					   : why_say(why, -ENOMEM, "%s: no memory for %u pages",
						     config->spec, frames);
	if (error)
		machine_finish(machine);
	machine->sweep.policy = machine->policy;
	return error;
}

/* ---- references -------------------------------------------------------------------------- */

static bool take(void *context, uint32_t frame)
{
	struct machine *machine = context;
	uint32_t *state = &machine->sweep.pages[frame];
	bool good = frame < machine->used && *state != FRAME_GIVEN && !machine->sweep.twice;
	*state = FRAME_GIVEN;
	return good;
}

static struct victims victims_of(struct machine *machine)
{
	return (struct victims){machine->ops, machine->policy, machine->frames, take, machine};
}

/* One that was asked for makes no sense. */
static __attribute__((cold, noinline)) void victim_refuse(struct machine *machine, uint32_t frame,
							  uint32_t given)
{
	struct victims victims = victims_of(machine);
	victims_judge(&victims, &frame, 1, given, machine->wrong, sizeof machine->wrong);
	if (!machine->wrong[0])
		snprintf(machine->wrong, sizeof machine->wrong, "it gave no victim");
}

/* Give up what it holds, as the daemon has it do where another policy follows: in batches. */
static void policy_empty(struct machine *machine)
{
	struct victims victims = victims_of(machine);
	uint32_t batch[END_BATCH], held = machine->ops->held(machine->policy);
	if (held != machine->used)
		snprintf(machine->wrong, sizeof machine->wrong,
			 "it says that it holds %u frames, of %u", held, machine->used);
	while (!machine->wrong[0] &&
	       victims_ask(&victims, batch, END_BATCH, machine->wrong, sizeof machine->wrong))
		;
}

/* Free a frame: its number, or FRAME_NONE if the policy's answer makes no sense. */
static inline uint32_t evict(struct machine *machine, enum visibility visibility)
{
	uint32_t frame = FRAME_NONE, picked;
	if (visibility == VISIBILITY_HARVEST)
		picked = sweep_victim(&machine->sweep, &frame);
	else
		picked = machine->ops->victims(machine->policy, &frame, 1);
	bool twice = visibility == VISIBILITY_HARVEST && machine->sweep.twice;
	if (__builtin_expect(picked != 1 || frame >= machine->frames || twice, 0)) {
		victim_refuse(machine, frame, picked);
		return FRAME_NONE;
	}
	machine->result->evictions++;
	uint32_t state = machine->sweep.pages[frame];
	machine->result->dirty_evictions += (state & FRAME_DIRTY) != 0;
	machine->frame_of_page[state & FRAME_PAGE] = FRAME_NONE;
	machine->ops->page_out(machine->policy, frame);
	if (visibility == VISIBILITY_HARVEST)
		sweep_page_out(&machine->sweep, frame);
	return frame;
}

static inline bool miss(struct machine *machine, uint32_t page, bool write,
			enum visibility visibility)
{
	if (machine->ops->demand)
		machine->ops->demand(machine->policy, page);
	uint32_t frame =
		machine->used < machine->frames ? machine->used++ : evict(machine, visibility);
	if (__builtin_expect(frame == FRAME_NONE, 0))
		return false;
	machine->frame_of_page[page] = frame;
	machine->sweep.pages[frame] = page | (write ? FRAME_DIRTY : 0);
	if (visibility == VISIBILITY_HARVEST)
		sweep_page_in(&machine->sweep, frame);
	machine->ops->page_in(machine->policy, frame, page, 0);
	if (write && machine->ops->dirtied)
		machine->ops->dirtied(machine->policy, frame);
	return true;
}

static inline void hit(struct machine *machine, uint32_t frame, bool write,
		       enum visibility visibility)
{
	uint32_t *state = &machine->sweep.pages[frame];
	bool first = write && !(*state & FRAME_DIRTY); /* a fault, in the daemon */
	if (first)
		*state |= FRAME_DIRTY;
	if (first && machine->ops->dirtied)
		machine->ops->dirtied(machine->policy, frame);
	if (first || visibility == VISIBILITY_EXACT)
		machine->ops->referenced(machine->policy, frame);
	if (visibility == VISIBILITY_HARVEST)
		*state |= FRAME_MAPPED;
}

/* Fetch where the page of a reference to come is. */
static inline void fetch_page(const uint32_t *frame_of_page, uint32_t reference)
{
	__builtin_prefetch(&frame_of_page[reference & ~REFERENCE_WRITE]);
}

/* Fetch what the policy has of the frame of a reference to come. It may be another one by then, and
 * FRAME_NONE now: to fetch from where nothing is costs less than to ask. */
static inline void fetch_frame(const uint32_t *frame_of_page, uint32_t reference,
			       unsigned char *frame_bytes, size_t stride)
{
	uint32_t frame = frame_of_page[reference & ~REFERENCE_WRITE];
	__builtin_prefetch((void *)((uintptr_t)frame_bytes + frame * stride), 1);
}

/* The references from one to before another; the first one that was not run. */
static inline __attribute__((always_inline)) uint64_t
replay(struct machine *machine, enum visibility visibility, bool writes, uint64_t from, uint64_t to)
{
	const uint32_t *list = machine->references->list;
	const uint32_t *frame_of_page = machine->frame_of_page;
	unsigned char *frame_bytes = machine->frame_bytes;
	size_t stride = machine->ops->frame_bytes;
	uint64_t count = machine->references->count, misses = 0, i;
	for (i = from; i < to; i++) {
		if (i + AHEAD_PAGE < count) {
			fetch_page(frame_of_page, list[i + AHEAD_PAGE]);
			fetch_frame(frame_of_page, list[i + AHEAD_FRAME], frame_bytes, stride);
		}
		uint32_t page = list[i] & ~REFERENCE_WRITE;
		bool write = writes && list[i] & REFERENCE_WRITE;
		uint32_t frame = frame_of_page[page];
		machine->now = i;
		if (frame != FRAME_NONE) {
			hit(machine, frame, write, visibility);
		} else {
			misses++;
			if (!miss(machine, page, write, visibility))
				break;
		}
	}
	machine->result->misses += misses;
	return i;
}

static uint64_t replay_some(struct machine *machine, enum visibility visibility, uint64_t from,
			    uint64_t to)
{
	bool writes = machine->references->writes > 0;
	if (visibility == VISIBILITY_FAULTS)
		return replay(machine, VISIBILITY_FAULTS, true, from, to);
	if (visibility == VISIBILITY_HARVEST)
		return replay(machine, VISIBILITY_HARVEST, true, from, to);
	return writes ? replay(machine, VISIBILITY_EXACT, true, from, to)
		      : replay(machine, VISIBILITY_EXACT, false, from, to);
}

/* All references; the number of those that were run. */
static uint64_t replay_all(struct machine *machine, const struct run_config *config)
{
	uint64_t count = machine->references->count, done = 0, before = 0;
	uint32_t windows = config->window_misses ? config->windows : 1;
	for (uint32_t i = 0; i < windows; i++) {
		uint64_t end = (uint64_t)((unsigned __int128)count * (i + 1) / windows);
		done = replay_some(machine, config->visibility, done, end);
		if (done < end)
			break;
		if (config->window_misses)
			config->window_misses[i] = machine->result->misses - before;
		before = machine->result->misses;
	}
	return done;
}

static void result_fill(const struct machine *machine, struct run_result *result)
{
	const struct pagerd_policy_ops *ops = machine->ops;
	result->hits = machine->references->count - result->misses;
	result->harvest_looked = machine->sweep.looked;
	result->harvest_used = machine->sweep.used;
	result->harvest_kept = machine->sweep.kept;
	result->frames = machine->frames;
	result->ghosts = ops->ghosts ? ops->ghosts(machine->policy) : 0;
	result->metadata_bytes = ops->frame_bytes * machine->frames;
	if (ops->metadata_bytes)
		result->metadata_bytes += ops->metadata_bytes(machine->policy);
}

int run(const struct run_config *config, struct references *references, struct run_result *result,
	struct why *why)
{
	struct machine machine;
	int error = machine_init(&machine, config, references, why);
	if (error)
		return error;
	*result = (struct run_result){0};
	machine.result = result;
	uint64_t begin = cpu_ns();
	uint64_t done = replay_all(&machine, config);
	result->cpu_ns = cpu_ns() - begin - machine.aside_ns;
	result_fill(&machine, result);
	if (done == references->count)
		policy_empty(&machine);
	if (machine.wrong[0])
		error = why_say(why, -EPROTO, "%s: %s (at reference %llu, with %u pages)",
				config->spec, machine.wrong, (unsigned long long)done,
				machine.frames);
	machine_finish(&machine);
	return error;
}

int run_check(const struct run_config *config, struct why *why)
{
	struct references none = {.pages = CHECK_PAGES, .count = CHECK_PAGES};
	struct run_config sized = *config;
	struct machine machine;
	sized.size_pages = CHECK_PAGES;
	int error = machine_init(&machine, &sized, &none, why);
	if (!error)
		machine_finish(&machine);
	return error;
}
