/* SPDX-License-Identifier: MIT */
/* Processes that do not live longer than a step. */
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker.h"

#define DEPTH_MAX 3

extern char **environ;

/* Fill what can be filled; what is there then. */
static uint32_t pages_change(const struct range *range, uint64_t value)
{
	uint32_t hash = 0;

	for (uint32_t i = 0; i < range->pages; i++) {
		char *page = range_address(range) + (uint64_t)i * PAGE;

		touch_fill(page, value + i);
		hash = hash * 31 + touch_hash(page);
	}
	return hash;
}

static uint32_t pages_hash(const struct range *range)
{
	uint32_t hash = 0;

	for (uint32_t i = 0; i < range->pages; i++)
		hash = hash * 31 + touch_hash(range_address(range) + (uint64_t)i * PAGE);
	return hash;
}

/* What a number of generations saw before and after they changed the range, the youngest last. */
struct family {
	uint32_t depth;
	uint32_t seen[DEPTH_MAX][2];
};

/* In this process and, at the same time, in its children and theirs. */
static void family_change(struct family *family, const struct range *range, uint64_t value,
			  uint32_t generation)
{
	int ends[2];
	pid_t pid;

	family->seen[generation][0] = pages_hash(range);
	if (generation + 1 == family->depth || pipe(ends) < 0) {
		family->seen[generation][1] = pages_change(range, value + generation * 1000);
		return;
	}
	pid = fork();
	if (pid == 0) {
		family_change(family, range, value, generation + 1);
		_exit(write(ends[1], family->seen, sizeof(family->seen)) < 0);
	}
	close(ends[1]);
	family->seen[generation][1] = pages_change(range, value + generation * 1000);
	if (read(ends[0], family->seen + generation + 1,
		 sizeof(family->seen) - (generation + 1) * sizeof(family->seen[0])) < 0)
		family->depth = 0;
	close(ends[0]);
}

static void brief_vfork(struct worker *w, const struct range *range, uint64_t value)
{
	volatile uint32_t hash = 0;
	pid_t pid = vfork();

	/* It has its parent's memory. */
	if (pid == 0) {
		hash = pages_change(range, value);
		_exit(0);
	}
	report(&w->report, " vfork %x", hash);
}

/* Children that change private memory while their parents do. */
void step_brief(struct worker *w)
{
	struct range range = pick_range(w);
	struct family family = {.depth = 2 + pick(w, DEPTH_MAX - 1)};
	uint64_t value = random_next(&w->random);

	report(&w->report, "brief ");
	report_address(&w->report, &w->space, range_address(&range));
	report(&w->report, " %u pages", range.pages);
	if (!range_private(&range)) {
		report(&w->report, " left out");
		return;
	}
	if (chance(w, 25)) {
		brief_vfork(w, &range, value);
		return;
	}
	family_change(&family, &range, value, 0);
	for (uint32_t i = 0; i < family.depth; i++)
		report(&w->report, " %x %x", family.seen[i][0], family.seen[i][1]);
}

/* ---- programs -------------------------------------------------------------------------------- */

enum spawn_how { SPAWN_FORK, SPAWN_VFORK, SPAWN_POSIX, SPAWN_POPEN, SPAWN_SYSTEM, SPAWN_HOWS };

static void spawn_exec(char **words, int out)
{
	dup2(out, 1);
	execvp(words[0], words);
	_exit(127);
}

static void spawn_posix(char **words, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
}

static void spawn_shell(const char *path, int out, bool opens)
{
	char command[PATH_MAX + 64];
	FILE *pipe = NULL;
	int ended = -1; /* children are nobody's to wait for, which the two mind */

	snprintf(command, sizeof(command), "cksum '%s' >/dev/fd/%d", path, out);
	if (opens)
		pipe = popen(command, "r");
	if (pipe)
		ended = pclose(pipe);
	else
		ended = system(command);
	(void)ended;
}

static void spawn_do(enum spawn_how how, char *path, int out)
{
	char name[] = "cksum";
	char *words[] = {name, path, NULL};

	switch (how) {
	case SPAWN_FORK:
		if (fork() == 0)
			spawn_exec(words, out);
		break;
	case SPAWN_VFORK:
		if (vfork() == 0)
			spawn_exec(words, out);
		break;
	case SPAWN_POSIX:
		spawn_posix(words, out);
		break;
	default:
		spawn_shell(path, out, how == SPAWN_POPEN);
	}
}

/* Another program reads what is in a file when it has been written. */
void step_spawn(struct worker *w)
{
	uint32_t file = pick(w, FILES);
	enum spawn_how how = pick(w, SPAWN_HOWS);
	char path[PATH_MAX], text[128];
	unsigned long sum = 0, bytes = 0;
	int ends[2];
	ssize_t got = 0, more;

	report(&w->report, "spawn %d file%u ", (int)how, file);
	if (!file_named(w, file, path) || pipe(ends) < 0) {
		report(&w->report, "left out");
		return;
	}
	report_result(&w->report, fsync(w->files.fd[file][OPEN_RW]));
	spawn_do(how, path, ends[1]);
	close(ends[1]);
	while ((more = read(ends[0], text + got, sizeof(text) - 1 - (size_t)got)) > 0)
		got += more;
	close(ends[0]);
	text[got] = 0;
	sscanf(text, "%lu %lu", &sum, &bytes);
	report(&w->report, " = %lu %lu", sum, bytes);
}
