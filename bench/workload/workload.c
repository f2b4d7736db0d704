/* SPDX-License-Identifier: MIT */
/* Workloads: their names and parameters, and what they have in common. */
#include "workload/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workload/list.h"

const struct workload_ops *const workloads[] = {
	&workload_uniform,    &workload_zipf,	     &workload_sequential,
	&workload_loop,	      &workload_zigzag,	     &workload_scan,
	&workload_moving,     &workload_working_set, &workload_hot_cold,
	&workload_follows,    &workload_once,	     &workload_chase,
	&workload_matrix_row, &workload_matrix,	     &workload_btree,
	&workload_bfs,	      &workload_hash_join,   NULL,
};

/* ---- names and parameters ---------------------------------------------------------------- */

struct problem {
	char *why;
	size_t bytes;
};

static const struct workload_ops *ops_find(const char *spec, size_t length)
{
	for (size_t i = 0; workloads[i]; i++)
		if (strlen(workloads[i]->name) == length &&
		    !memcmp(workloads[i]->name, spec, length))
			return workloads[i];
	return NULL;
}

static int parameter_find(const struct workload_ops *ops, const char *name, size_t length)
{
	for (int i = 0; ops->parameters[i].name; i++)
		if (strlen(ops->parameters[i].name) == length &&
		    !memcmp(ops->parameters[i].name, name, length))
			return i;
	return -1;
}

static bool number_parse(const char *text, size_t length, const struct workload_parameter *is,
			 double *value)
{
	char copy[32], *end;
	if (!length || length >= sizeof copy || *text < '0' || *text > '9')
		return false;
	memcpy(copy, text, length);
	copy[length] = 0;
	/* strtod takes "0x10" and "1e3": fine, but no name for infinity gets here. */
	double number = strtod(copy, &end);
	if (*end || !(number >= is->min && number <= is->max) ||
	    (is->whole && number != (double)(uint64_t)number))
		return false;
	*value = number;
	return true;
}

/* One "name=number". */
static int parameter_parse(struct workload *workload, const char *text, size_t length,
			   unsigned *seen, struct problem *problem)
{
	const char *equals = memchr(text, '=', length);
	size_t name = equals ? (size_t)(equals - text) : length;
	int i = parameter_find(workload->ops, text, name);
	if (i < 0) {
		snprintf(problem->why, problem->bytes, "%s: there is no parameter '%.*s'",
			 workload->ops->name, (int)name, text);
		return -EINVAL;
	}
	const struct workload_parameter *is = &workload->ops->parameters[i];
	if (*seen & 1u << i) {
		snprintf(problem->why, problem->bytes, "%s: parameter '%s' is given twice",
			 workload->ops->name, is->name);
		return -EINVAL;
	}
	*seen |= 1u << i;
	size_t rest = equals ? length - name - 1 : 0;
	if (number_parse(equals ? equals + 1 : "", rest, is, &workload->value[i]))
		return 0;
	snprintf(problem->why, problem->bytes,
		 "%s: parameter '%s' is '%.*s', not a %snumber from %g to %g", workload->ops->name,
		 is->name, (int)rest, equals ? equals + 1 : "", is->whole ? "whole " : "", is->min,
		 is->max);
	return -EINVAL;
}

static int parameters_parse(struct workload *workload, const char *text, struct problem *problem)
{
	unsigned seen = 0;
	for (int i = 0; workload->ops->parameters[i].name; i++)
		workload->value[i] = workload->ops->parameters[i].standard;
	while (*text) {
		size_t length = strcspn(text, ",");
		int error = parameter_parse(workload, text, length, &seen, problem);
		if (error)
			return error;
		text += length + (text[length] == ',');
	}
	return 0;
}

static int pages_check(const struct workload_ops *ops, uint64_t pages, struct problem *problem)
{
	if (pages >= ops->pages_min && pages <= WORKLOAD_PAGES_MAX)
		return 0;
	snprintf(problem->why, problem->bytes, "%s: %llu pages: it takes from %u to %u", ops->name,
		 (unsigned long long)pages, ops->pages_min, WORKLOAD_PAGES_MAX);
	return -EINVAL;
}

static int workload_make(struct workload *workload, const char *parameters, struct problem *problem)
{
	int error = parameters_parse(workload, parameters, problem);
	if (error)
		return error;
	workload->shared = calloc(1, workload->ops->shared_bytes + 1);
	error = workload->shared ? 0 : -ENOMEM;
	if (!error && workload->ops->create)
		error = workload->ops->create(workload);
	if (error)
		snprintf(problem->why, problem->bytes, "%s: not enough memory for %u pages",
			 workload->ops->name, workload->pages);
	return error;
}

int workload_create(struct workload **out, const char *spec, uint64_t pages, uint64_t seed,
		    char *why, size_t why_bytes)
{
	struct problem problem = {why, why_bytes};
	size_t length = strcspn(spec, ":");
	const struct workload_ops *ops = ops_find(spec, length);
	if (!ops) {
		snprintf(why, why_bytes, "there is no workload '%.*s'", (int)length, spec);
		return -EINVAL;
	}
	int error = pages_check(ops, pages, &problem);
	if (error)
		return error;
	struct workload *workload = calloc(1, sizeof *workload);
	if (!workload)
		return -ENOMEM;
	workload->ops = ops;
	workload->pages = (uint32_t)pages;
	workload->seed = seed;
	error = workload_make(workload, spec[length] ? spec + length + 1 : "", &problem);
	if (error) {
		workload_destroy(workload);
		return error;
	}
	*out = workload;
	return 0;
}

void workload_destroy(struct workload *workload)
{
	if (!workload)
		return;
	if (workload->shared && workload->ops->destroy)
		workload->ops->destroy(workload);
	free(workload->shared);
	free(workload);
}

/* ---- streams ----------------------------------------------------------------------------- */

struct stream *stream_create(const struct workload *workload, uint32_t thread, uint32_t threads)
{
	struct stream *stream = calloc(1, workload->ops->stream_bytes);
	if (!stream)
		return NULL;
	stream->workload = workload;
	stream->random = random_make(workload->seed, 1 + thread);
	stream->thread = thread;
	stream->threads = threads;
	if (!workload->ops->start || !workload->ops->start(stream))
		return stream;
	stream_destroy(stream);
	return NULL;
}

void stream_destroy(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->workload->ops->end)
		stream->workload->ops->end(stream);
	free(stream);
}

uint32_t *permutation_make(uint32_t count, struct random random)
{
	uint32_t *numbers = malloc(count * sizeof *numbers);
	if (!numbers)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t other = (uint32_t)random_below(&random, i + 1);
		numbers[i] = numbers[other];
		numbers[other] = i;
	}
	return numbers;
}

uint32_t workload_share(const struct workload *workload, double percent)
{
	uint32_t pages = (uint32_t)(workload->pages * percent / 100);
	return pages ? pages : 1;
}

struct part stream_part(const struct stream *stream, uint64_t count)
{
	struct part part = {count * stream->thread / stream->threads,
			    count * (stream->thread + 1) / stream->threads};
	if (part.first == part.end)
		part.end = part.first + 1;
	return part;
}

void stream_emit(struct stream *stream, uint64_t page, bool write)
{
	if (stream->any && stream->last.page == page && (stream->last.write || !write))
		return;
	stream->any = true;
	stream->last = (struct reference){(uint32_t)page, write};
	stream->pending[stream->count++ % STREAM_PENDING] = stream->last;
}

struct reference stream_step(struct stream *stream, void (*step)(struct stream *stream))
{
	while (stream->head == stream->count)
		step(stream);
	return stream->pending[stream->head++ % STREAM_PENDING];
}
