/* SPDX-License-Identifier: MIT */
/* An instance of a policy under test, and random numbers. */
#include "subject.h"

#include <check.h>
#include <stdlib.h>

#include "seed.h"

struct subject subject_make_knowing(const char *spec, uint32_t frame_limit, uint32_t capacity_pages,
				    const struct future *future)
{
	struct subject subject = {0};
	const char *parameters;
	char why[128] = "";
	subject.ops = pagerd_policy_find(spec, &parameters);
	ck_assert_msg(subject.ops, "there is no policy %s", spec);
	subject.frame_bytes = calloc(frame_limit, subject.ops->frame_bytes);
	ck_assert_ptr_nonnull(subject.frame_bytes);
	struct pagerd_policy_env env = {
		.frame_limit = frame_limit,
		.capacity_pages = capacity_pages,
		.frame_bytes = subject.frame_bytes,
		.parameters = parameters,
		.why = why,
		.why_bytes = sizeof why,
		.next_use = future->next_use,
		.next_use_context = future->context,
		.references = future->references,
	};
	ck_assert_msg(subject.ops->create(&subject.policy, &env) == 0, "%s: %s", spec, why);
	return subject;
}

/* Each use is followed by one of the same page some time. */
static uint64_t some_use(void *context, pagerd_page_t page)
{
	static uint64_t clock;
	(void)context;
	(void)page;
	return clock += 1 + clock % 7;
}

struct subject subject_make(const char *spec, uint32_t frame_limit, uint32_t capacity_pages)
{
	static const struct future future = {some_use, NULL, 1ull << 30};
	return subject_make_knowing(spec, frame_limit, capacity_pages, &future);
}

void subject_end(struct subject *subject)
{
	subject->ops->destroy(subject->policy);
	free(subject->frame_bytes);
}

uint32_t victim(struct subject *subject)
{
	uint32_t frame = UINT32_MAX;
	ck_assert_uint_eq(subject->ops->victims(subject->policy, &frame, 1), frame != UINT32_MAX);
	return frame;
}

uint64_t seed;
static uint64_t random_state;

void seed_start(void)
{
	seed = seed_get();
}

void random_start(uint64_t from)
{
	random_state = from;
}

uint32_t random_below(uint32_t bound)
{
	/* splitmix64 */
	uint64_t z = random_state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % bound);
}
