/* SPDX-License-Identifier: MIT */
/* The references of one run. */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX  16u
#define SPEC_BYTES 512u

struct parts {
	char text[SPEC_BYTES];
	uint32_t count;
	struct workload *workload[PARTS_MAX];
};

static void parts_destroy(struct parts *parts)
{
	for (uint32_t i = 0; i < parts->count; i++)
		workload_destroy(parts->workload[i]);
}

static int parts_create(struct parts *parts, const struct plan_spec *spec, char *why,
			size_t why_bytes)
{
	int length = snprintf(parts->text, sizeof parts->text, "%s", spec->workload), error = 0;
	if (length >= (int)sizeof parts->text) {
		snprintf(why, why_bytes, "the workload's name has more than %u bytes", SPEC_BYTES);
		return -EINVAL;
	}
	char *rest = parts->text;
	while (!error && rest) {
		char *name = strsep(&rest, "+");
		if (parts->count == PARTS_MAX) {
			snprintf(why, why_bytes, "more than %u workloads in a row", PARTS_MAX);
			error = -EINVAL;
			break;
		}
		error = workload_create(&parts->workload[parts->count], name, spec->pages,
					spec->seed, why, why_bytes);
		parts->count += !error;
	}
	if (error)
		parts_destroy(parts);
	return error;
}

/* A thread's share of the references. */
static uint64_t share(uint64_t count, uint32_t index, uint32_t parts)
{
	return count / parts + (index < count % parts);
}

static bool part_draw(uint32_t *packed, uint64_t count, const struct workload *workload,
		      uint32_t thread, const struct plan_spec *spec)
{
	struct stream *stream = stream_create(workload, thread, spec->threads);
	if (!stream)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		struct reference reference = stream_next(stream);
		reference.write &= !spec->read_only;
		packed[i] = plan_pack(reference);
	}
	stream_destroy(stream);
	return true;
}

/* See plan_spec.fresh. */
static bool thread_freshen(uint32_t *packed, uint64_t count, uint64_t pages)
{
	uint8_t *seen = calloc(pages, 1);
	for (uint64_t i = 0; seen && i < count; i++) {
		uint32_t page = plan_unpack(packed[i]).page;
		packed[i] = plan_pack(
			(struct reference){page, plan_unpack(packed[i]).write || !seen[page]});
		seen[page] = 1;
	}
	bool good = seen;
	free(seen);
	return good;
}

static bool thread_draw(struct plan *plan, const struct parts *parts, uint32_t thread,
			const struct plan_spec *spec)
{
	uint64_t count = share(spec->count, thread, spec->threads), done = 0;
	uint32_t *packed = malloc((count ? count : 1) * sizeof *packed);
	plan->packed[thread] = packed;
	plan->counts[thread] = count;
	for (uint32_t i = 0; packed && i < parts->count; i++) {
		uint64_t part = share(count, i, parts->count);
		if (!part_draw(packed + done, part, parts->workload[i], thread, spec))
			return false;
		done += part;
	}
	if (packed && spec->fresh)
		return thread_freshen(packed, count, spec->pages);
	return packed;
}

/* What is known of all references together. */
static bool plan_count(struct plan *plan)
{
	uint8_t *seen = calloc(plan->pages, 1);
	for (uint32_t thread = 0; seen && thread < plan->threads; thread++) {
		for (uint64_t i = 0; i < plan->counts[thread]; i++) {
			struct reference reference = plan_unpack(plan->packed[thread][i]);
			plan->distinct += !seen[reference.page];
			seen[reference.page] = 1;
			plan->writes |= reference.write;
		}
	}
	bool good = seen;
	free(seen);
	return good;
}

static int spec_check(const struct plan_spec *spec, char *why, size_t why_bytes)
{
	if (spec->threads && spec->threads <= WORKLOAD_THREADS_MAX && spec->count)
		return 0;
	if (!spec->count)
		snprintf(why, why_bytes, "no references at all");
	else
		snprintf(why, why_bytes, "%u threads: from 1 to %u", spec->threads,
			 WORKLOAD_THREADS_MAX);
	return -EINVAL;
}

int plan_make(struct plan *plan, const struct plan_spec *spec, char *why, size_t why_bytes)
{
	struct parts parts = {0};
	int error = spec_check(spec, why, why_bytes);
	if (!error)
		error = parts_create(&parts, spec, why, why_bytes);
	if (error)
		return error;
	*plan = (struct plan){
		.pages = (uint32_t)spec->pages, .threads = spec->threads, .count = spec->count};
	plan->counts = calloc(spec->threads, sizeof *plan->counts);
	plan->packed = calloc(spec->threads, sizeof *plan->packed);
	bool good = plan->counts && plan->packed;
	for (uint32_t i = 0; good && i < spec->threads; i++)
		good = thread_draw(plan, &parts, i, spec);
	parts_destroy(&parts);
	if (good && plan_count(plan))
		return 0;
	plan_free(plan);
	snprintf(why, why_bytes, "not enough memory for %llu references",
		 (unsigned long long)spec->count);
	return -ENOMEM;
}

void plan_free(struct plan *plan)
{
	for (uint32_t i = 0; plan->packed && i < plan->threads; i++)
		free(plan->packed[i]);
	free(plan->packed);
	free(plan->counts);
	*plan = (struct plan){0};
}

/* Threads differ by one reference at most: who has none left in a turn has had the last one. */
bool plan_next(const struct plan *plan, struct plan_cursor *cursor, struct reference *reference,
	       uint32_t *thread)
{
	if (cursor->thread == plan->threads) {
		cursor->thread = 0;
		cursor->turn++;
	}
	if (cursor->turn >= plan->counts[cursor->thread])
		return false;
	*thread = cursor->thread;
	*reference = plan_unpack(plan->packed[cursor->thread++][cursor->turn]);
	return true;
}
