/* SPDX-License-Identifier: MIT */
/* What the commands of pagerbench are given: read here, for all of them alike. */
#ifndef PAGERBENCH_OPTIONS_H
#define PAGERBENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STATUS_FAILED = 1,
	STATUS_USAGE = 64,
	STATUS_UNAVAILABLE = 69,
};

#define OPTIONS_LIST_MAX 64u
#define OPTIONS_RUNS_MAX 1000u

struct options_list {
	size_t count;
	char *item[OPTIONS_LIST_MAX];
};

/* A size: pages, bytes (with a unit, K to T), or a share of the data in percent. */
struct options_size {
	enum { SIZE_NONE, SIZE_PAGES, SIZE_BYTES, SIZE_PERCENT } kind;
	double value;
};

struct options_sizes {
	size_t count;
	struct options_size item[OPTIONS_LIST_MAX];
};

struct options {
	struct options_list workloads;
	struct options_list policies;
	struct options_list loaded; /* policies of the user's own: shared objects */
	struct options_sizes sizes;
	struct options_size memory;
	struct options_size data;
	uint64_t references; /* 0: chosen by the command */
	uint64_t seed;
	uint32_t threads;
	uint32_t runs;
	const char *output;
	const char *format;
	const char *csv;
	const char *json;
	const char *dir; /* where swap and files are */
	const char *advice;
	const char *reclaim;
	const char *access;
	double tolerance; /* percent */
	uint32_t prefetch;
	bool prefetch_given;
	bool file;
	bool anonymous;
	bool read_only;
	bool kernel;
	bool live;
	bool simulated;
	bool list;
};

/* Say what is wrong ("pagerbench: ..."). */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Read the arguments behind a command's name; accepted has the names of its options (without the
 * dashes), NULL-terminated. 0, or an exit status after having said what is wrong. The arguments
 * are cut up and referred to. */
int options_parse(struct options *options, int argc, char **argv, const char *const *accepted);

/* In pages, rounded down, of that much data. False (after having said so) if that is none. */
bool options_size_pages(const struct options_size *size, uint64_t data_pages, uint64_t *pages);

/* MADV_* of --advice. */
int options_advice(const struct options *options);

#endif
