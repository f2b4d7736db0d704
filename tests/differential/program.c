/* SPDX-License-Identifier: MIT */
/* The command line of differ. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "random.h"

static const char *const known_names[KNOWN_COUNT] = {
	/* read(2) and write(2) between a file's range and a mapping of the same range: the kernel
	 * copies within one page, the pager between two copies of it. */
	[KNOWN_ALIAS] = "alias",
	/* What is stored behind a file's end, in its last page, the kernel keeps until it writes
	 * the page, the pager until it evicts it. */
	[KNOWN_BEHIND_END] = "behind_end",
	/* MREMAP_DONTUNMAP of private mappings of files: ENOMEM. */
	[KNOWN_DONTUNMAP_FILE] = "dontunmap_file",
	/* Executable mappings of files stay the kernel's, and show a file that is written through
	 * others as of its last write-back. */
	[KNOWN_EXEC_FILE] = "exec_file",
	/* mremap of a part of a private mapping of a file to more than that: ENOMEM, if the pages
	 * behind it are another part's. */
	[KNOWN_GROW_FILE] = "grow_file",
	/* MREMAP_MAYMOVE: the kernel grows memory where it is if there is room, the pager moves
	 * it. Programs must expect both. */
	[KNOWN_GROW_MOVES] = "grow_moves",
	/* process_vm_writev(2) pins pages and then writes to them: what is evicted in between loses
	 * that. */
	[KNOWN_PINNED] = "pinned",
	/* mremap(2) of ranges that were mapped by several calls: whether the kernel has merged them
	 * to one mapping depends on what was touched in which order. */
	[KNOWN_REMAP_SPANS] = "remap_spans",
	/* MADV_REMOVE of a file: EOPNOTSUPP under the pager. */
	[KNOWN_REMOVE_FILE] = "remove_file",
	/* A process that does not map a file reads it as of its last write-back. Otherwise every
	 * process keeps a page of each file mapped. */
	[KNOWN_UNANCHORED] = "unanchored",
	/* mremap of shared anonymous memory to more than it was: the kernel maps nothing behind its
	 * end and gives SIGBUS there, the pager makes it longer, or has ENOMEM. */
	[KNOWN_GROW_SHARED] = "grow_shared",
};

static _Noreturn void usage(const char *wrong)
{
	fprintf(stderr,
		"differ: %s\n"
		"usage: differ [-s SEED] [-n STEPS] [-p PROCESSES] [-x STEP[-STEP],...] [-k "
		"KNOWN]\n"
		"              [-w SECONDS] -d DIRECTORY\n"
		"-x leaves steps out. -w waits so long for a step. -k does what is known to "
		"differ:",
		wrong);
	for (int i = 0; i < KNOWN_COUNT; i++)
		fprintf(stderr, " %s", known_names[i]);
	fprintf(stderr, ", all\n");
	exit(64);
}

static uint64_t number(const char *text, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || value > most)
		usage("a number is wrong");
	return value;
}

static void parse_known(struct program *program, const char *name)
{
	bool found = false;

	for (int i = 0; i < KNOWN_COUNT; i++) {
		if (strcmp(name, "all") && strcmp(name, known_names[i]))
			continue;
		program->known[i] = true;
		found = true;
	}
	if (!found)
		usage("there is no such known difference");
}

static void parse_left_out(struct program *program, char *text)
{
	for (char *word = strtok(text, ","); word; word = strtok(NULL, ",")) {
		char *dash = strchr(word, '-');
		uint64_t first, last;

		if (dash)
			*dash = 0;
		first = number(word, STEPS_MAX - 1);
		last = dash ? number(dash + 1, STEPS_MAX - 1) : first;
		for (uint64_t step = first; step <= last; step++)
			program->left_out[step] = true;
	}
}

static void parse_one(struct program *program, int letter, char *value)
{
	switch (letter) {
	case 's':
		program->seed = number(value, UINT64_MAX);
		break;
	case 'n':
		program->steps = (uint32_t)number(value, STEPS_MAX);
		break;
	case 'p':
		program->processes = (uint32_t)number(value, PROCESSES_MAX);
		break;
	case 'w':
		program->answer_seconds = (uint32_t)number(value, 3600);
		break;
	case 'd':
		program->directory = value;
		break;
	case 'k':
		parse_known(program, value);
		break;
	case 'x':
		parse_left_out(program, value);
		break;
	default:
		usage("an option is wrong");
	}
}

void program_parse(struct program *program, int argc, char **argv)
{
	struct random random;
	int letter;

	program->seed = 1;
	program->steps = 500;
	program->processes = 3;
	program->answer_seconds = 20;
	while ((letter = getopt(argc, argv, "s:n:p:d:k:w:x:")) >= 0)
		parse_one(program, letter, optarg);
	if (optind != argc || !program->directory || !program->processes)
		usage("-d is missing, or there is a word too many");
	program->odd_sizes = program->seed % 3 == 0;
	program->alarms = program->seed % 4 == 1;
	program->limits = program->seed % 5 == 2;
	random = random_for(program->seed, UINT64_MAX);
	for (int i = 0; i < CUTS; i++)
		program->cuts[i] = random_below(&random, ARENA_PAGES);
}
