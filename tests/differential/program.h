/* SPDX-License-Identifier: MIT */
/*
 * A random program: what each of its steps does follows from the seed and the step's number.
 *
 * Some calls are known to differ under the pager. The generator leaves them out, each for the
 * reason given in program.c, unless "-k NAME" asks for them.
 */
#ifndef PAGERD_TESTS_DIFFERENTIAL_PROGRAM_H
#define PAGERD_TESTS_DIFFERENTIAL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE	      4096u
#define ARENA_PAGES   256u
#define PROCESSES_MAX 8
#define STEPS_MAX     100000u
#define CUTS	      20

enum known {
	/* What the pager is not to do, or not yet. */
	KNOWN_ALIAS,
	KNOWN_BEHIND_END,
	KNOWN_DONTUNMAP_FILE,
	KNOWN_EXEC_FILE,
	KNOWN_GROW_FILE,
	KNOWN_GROW_MOVES,
	KNOWN_PINNED,
	KNOWN_REMAP_SPANS,
	KNOWN_REMOVE_FILE,
	KNOWN_UNANCHORED,
	/* What is found, and to be mended: with the fix goes the switch. */
	KNOWN_GROW_SHARED,
	KNOWN_COUNT
};

struct program {
	uint64_t seed;
	uint32_t steps;
	uint32_t processes;
	uint32_t answer_seconds; /* a process that takes longer for a step is stuck */
	const char *directory;	 /* of the files; removed and made again */
	bool odd_sizes;		 /* of files: no whole pages */
	bool alarms;		 /* signals arrive all the time */
	bool limits;		 /* of address space and of locked memory */
	bool known[KNOWN_COUNT];
	bool left_out[STEPS_MAX];
	/* Most ranges begin and end at one of these pages, so that calls meet each other's edges.
	 */
	uint32_t cuts[CUTS];
};

/* From the command line; ends the process if it is wrong. */
void program_parse(struct program *program, int argc, char **argv);

#endif
