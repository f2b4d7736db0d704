/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void step_fork(struct worker *w);

struct step {
	void (*run)(struct worker *w);
	uint32_t weight;
};

static void step_exit(struct worker *w)
{
	_exit(0);
}

static const struct step steps[STEP_KINDS] = {
	[STEP_MAP_ANON] = {step_map_anon, 90},
	[STEP_MAP_FILE] = {step_map_file, 70},
	[STEP_MAP_BAD] = {step_map_bad, 20},
	[STEP_UNMAP] = {step_unmap, 35},
	[STEP_PROTECT] = {step_protect, 70},
	[STEP_REMAP] = {step_remap, 70},
	[STEP_REMAP_BAD] = {step_remap_bad, 15},
	[STEP_ADVISE] = {step_advise, 90},
	[STEP_ADVISE_FREE] = {step_advise_free, 15},
	[STEP_SYNC] = {step_sync, 30},
	[STEP_INCORE] = {step_incore, 10},
	[STEP_LOCK] = {step_lock, 10},
	[STEP_LOCK_ALL] = {step_lock_all, 2},
	[STEP_LOAD] = {step_load, 150},
	[STEP_STORE] = {step_store, 170},
	[STEP_TRANSFER] = {step_transfer, 120},
	[STEP_DIRECT] = {step_direct, 15},
	[STEP_COPY] = {step_copy, 20},
	[STEP_PIPE] = {step_pipe, 20},
	[STEP_ARGUMENT] = {step_argument, 25},
	[STEP_SEEK] = {step_seek, 15},
	[STEP_TRUNCATE] = {step_truncate, 18},
	[STEP_ALLOCATE] = {step_allocate, 20},
	[STEP_FLUSH] = {step_flush, 8},
	[STEP_REPLACE] = {step_replace, 3},
	[STEP_BRIEF] = {step_brief, 8},
	[STEP_SPAWN] = {step_spawn, 2},
	[STEP_THREADS] = {step_threads, 4},
	[STEP_FORK] = {step_fork, 12},
	[STEP_EXIT] = {step_exit, 7},
};

/* What is first done with an empty address space shows little: begin with mappings. */
static enum step_kind step_opening(uint32_t step)
{
	return step % 3 == 2 ? STEP_MAP_FILE : STEP_MAP_ANON;
}

enum step_kind step_choose(const struct program *program, uint32_t step, struct random *random,
			   uint32_t *slot)
{
	uint32_t all = 0, at;

	*random = random_for(program->seed, step);
	*slot = random_below(random, program->processes);
	if (step < 16) {
		*slot = 0;
		return step_opening(step);
	}
	if (step >= 40 && step < 40 + 20 * program->processes && step % 20 == 0) {
		*slot = 0;
		return STEP_FORK;
	}
	for (int i = 0; i < STEP_KINDS; i++)
		all += steps[i].weight;
	at = random_below(random, all);
	for (int i = 0;; i++) {
		if (at < steps[i].weight)
			return (enum step_kind)i;
		at -= steps[i].weight;
	}
}

static void worker_answer(struct worker *w)
{
	size_t bytes = offsetof(struct report, text) + w->report.length;

	if (send(w->socket, &w->report, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
		_exit(2);
}

/* Wait for a command, and for the socket that comes with one to make a child. */
static struct command worker_ask(struct worker *w)
{
	struct command command;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {&command, sizeof(command)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	do {
		got = recvmsg(w->socket, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(command))
		_exit(got ? 2 : 0);
	w->child_socket = -1;
	if (message.msg_controllen)
		memcpy(&w->child_socket, CMSG_DATA(&control.header), sizeof(int));
	return command;
}

static uint32_t child_slot;

static void step_fork(struct worker *w)
{
	pid_t pid;

	report(&w->report, "fork of process %u ", child_slot);
	pid = fork();
	if (pid == 0) {
		close(w->socket);
		w->socket = w->child_socket;
		w->slot = child_slot;
		space_forked(&w->space);
		worker_run(w);
		_exit(0);
	}
	if (pid < 0)
		report_result(&w->report, -1);
	else
		report(&w->report, "= done");
	w->report.child = pid < 0 ? 0 : pid;
	close(w->child_socket);
}

/* All that the process can see. */
static void worker_dump(struct worker *w)
{
	for (int i = 0; i < AREAS; i++) {
		struct range all = {&w->space.area[i], 0, w->space.area[i].pages};

		if (!all.pages)
			continue;
		report(&w->report, "%c:", "AXYZ"[i]);
		touch_load(w, &all);
		report(&w->report, "\n");
	}
	for (uint32_t i = 0; i < FILES; i++) {
		file_report(w, i);
		report(&w->report, "\n");
	}
}

void worker_run(struct worker *w)
{
	surroundings_begin(w->program);
	for (;;) {
		struct command command = worker_ask(w);
		enum step_kind kind;
		uint32_t slot;

		if (command.order == ORDER_EXIT)
			return;
		w->step = command.step;
		child_slot = command.child;
		w->report.length = 0;
		w->report.child = 0;
		kind = step_choose(w->program, command.step, &w->random, &slot);
		touch_guarded(w, command.order == ORDER_DUMP ? worker_dump : steps[kind].run);
		worker_answer(w);
	}
}
