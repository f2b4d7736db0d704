/* SPDX-License-Identifier: MIT */
/*
 * A random program of memory calls, done by several processes in turn. What it prints depends on
 * nothing but its options, if memory works: two ways to page are compared by what they make it
 * print, and by the files that it leaves.
 *
 * This process, the coordinator, maps nothing. It tells the others, one at a time, to do a step,
 * and prints their answers.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker.h"

#define STATUS_STUCK 3

struct process {
	int socket; /* -1: it does not run */
	pid_t pid;
};

static struct program program;
static struct process processes[PROCESSES_MAX];
static struct worker worker;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

/* A socket for a new process: its end is returned, ours kept. */
static int process_prepare(struct process *process)
{
	struct timeval limit = {.tv_sec = program.answer_seconds};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
	    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		die("socketpair");
	process->socket = ends[0];
	return ends[1];
}

static void process_forget(struct process *process)
{
	close(process->socket);
	process->socket = -1;
}

static void process_tell(const struct process *process, const struct command *command, int child)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec data = {(void *)command, sizeof(*command)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (child >= 0) {
		memcpy(CMSG_DATA(&control.header), &child, sizeof(child));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	/* One that has ended is noticed by its missing answer. */
	sendmsg(process->socket, &message, MSG_NOSIGNAL);
}

/* Nobody is left behind that waits for memory. */
static _Noreturn void stuck(uint32_t slot)
{
	printf("process %u does not answer\n", slot);
	fflush(stdout);
	for (int i = 0; i < PROCESSES_MAX; i++) {
		if (processes[i].socket >= 0)
			kill(processes[i].pid, SIGKILL);
	}
	exit(STATUS_STUCK);
}

/* Print the answer; false if the process has ended instead. */
static bool process_answers(uint32_t slot, int *child)
{
	static struct report answer;
	ssize_t got;

	/* With a time limit, a receiver that is stopped or frozen meanwhile has EINTR. */
	do {
		got = recv(processes[slot].socket, &answer, sizeof(answer), 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		stuck(slot);
	if (got < (ssize_t)offsetof(struct report, text)) {
		process_forget(&processes[slot]);
		return false;
	}
	fwrite(answer.text, 1, answer.length, stdout);
	*child = answer.child;
	return true;
}

static uint32_t slot_free(void)
{
	for (uint32_t i = 0; i < program.processes; i++) {
		if (processes[i].socket < 0)
			return i;
	}
	return PROCESSES_MAX;
}

static void fork_do(uint32_t step, uint32_t slot, uint32_t child)
{
	struct command command = {ORDER_STEP, step, child};
	int socket = process_prepare(&processes[child]);

	process_tell(&processes[slot], &command, socket);
	close(socket);
	if (!process_answers(slot, &processes[child].pid))
		printf("DIED");
	if (!processes[child].pid)
		process_forget(&processes[child]);
}

static void exit_do(uint32_t slot)
{
	struct command command = {.order = ORDER_EXIT};
	int ignored;

	process_tell(&processes[slot], &command, -1);
	printf("exit%s", process_answers(slot, &ignored) ? " IGNORED" : "");
}

static void step_do(uint32_t step)
{
	struct command command = {.order = ORDER_STEP, .step = step};
	struct random random;
	uint32_t slot;
	enum step_kind kind = step_choose(&program, step, &random, &slot);
	uint32_t child = slot_free();
	int ignored;

	if (processes[slot].socket < 0 || (kind == STEP_FORK && child == PROCESSES_MAX) ||
	    (kind == STEP_EXIT && slot == 0))
		return;
	printf("%u p%u ", step, slot);
	if (kind == STEP_FORK) {
		fork_do(step, slot, child);
	} else if (kind == STEP_EXIT) {
		exit_do(slot);
	} else {
		process_tell(&processes[slot], &command, -1);
		if (!process_answers(slot, &ignored))
			printf("DIED");
	}
	printf("\n");
}

/* All that each process sees; then they end, the first one last. */
static void end_all(void)
{
	struct command dump = {.order = ORDER_DUMP};
	int ignored;

	for (uint32_t slot = 0; slot < program.processes; slot++) {
		if (processes[slot].socket < 0)
			continue;
		printf("end p%u\n", slot);
		process_tell(&processes[slot], &dump, -1);
		if (!process_answers(slot, &ignored))
			printf("DIED\n");
	}
	for (uint32_t slot = program.processes; slot-- > 0;) {
		if (processes[slot].socket >= 0)
			exit_do(slot);
	}
	printf("\n");
}

static void begin_first(void)
{
	int socket = process_prepare(&processes[0]);

	processes[0].pid = fork();
	if (processes[0].pid < 0)
		die("fork");
	if (processes[0].pid > 0) {
		close(socket);
		return;
	}
	close(processes[0].socket);
	worker.socket = socket;
	space_init(&worker.space);
	touch_init();
	if (!program.known[KNOWN_UNANCHORED])
		files_anchor(&worker.files);
	worker_run(&worker);
	_exit(0);
}

int main(int argc, char **argv)
{
	static char output[1 << 16];
	int status;

	program_parse(&program, argc, argv);
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	signal(SIGCHLD, SIG_IGN); /* what exits is nobody's to wait for */
	worker.program = &program;
	files_make(&worker.files, program.directory);
	for (int i = 0; i < PROCESSES_MAX; i++)
		processes[i].socket = -1;
	begin_first();
	for (uint32_t step = 0; step < program.steps; step++) {
		if (!program.left_out[step])
			step_do(step);
	}
	end_all();
	while (wait(&status) > 0)
		;
	return 0;
}
