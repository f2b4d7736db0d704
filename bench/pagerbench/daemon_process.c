/* SPDX-License-Identifier: MIT */
/* A pagerd for one run. */
#include "daemon_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../client/locate.h"
#include "options.h"
#include "signals.h"

#define ARGUMENTS_MAX (24 + 2 * OPTIONS_LIST_MAX)
#define NUMBER_BYTES  24

struct arguments {
	int count;
	const char *word[ARGUMENTS_MAX];
};

static void argument_add(struct arguments *arguments, const char *name, const char *value)
{
	if (!value)
		return;
	arguments->word[arguments->count++] = name;
	arguments->word[arguments->count++] = value;
}

/* In the child: become pagerd. A session of its own: what ends us from the terminal does not end
 * it before it has been told to. */
static _Noreturn void daemon_exec(const struct daemon_process *daemon, const char *program,
				  const struct daemon_options *options, int lifeline, int ready)
{
	char memory[NUMBER_BYTES], lifeline_text[NUMBER_BYTES], ready_text[NUMBER_BYTES];
	char prefetch[NUMBER_BYTES];
	struct arguments arguments = {1, {program}};
	snprintf(memory, sizeof memory, "%llu", (unsigned long long)options->memory_bytes);
	snprintf(lifeline_text, sizeof lifeline_text, "%d", lifeline);
	snprintf(ready_text, sizeof ready_text, "%d", ready);
	snprintf(prefetch, sizeof prefetch, "%d", options->prefetch);
	for (size_t i = 0; i < options->loaded->count; i++)
		argument_add(&arguments, "--load-policy", options->loaded->item[i]);
	argument_add(&arguments, "--memory", memory);
	argument_add(&arguments, "--policy", options->policy);
	argument_add(&arguments, "--swap", options->swap);
	argument_add(&arguments, "--socket", daemon->socket);
	argument_add(&arguments, "--lifeline", lifeline_text);
	argument_add(&arguments, "--ready-fd", ready_text);
	argument_add(&arguments, "--reclaim", options->reclaim);
	argument_add(&arguments, "--access", options->access);
	argument_add(&arguments, "--prefetch", options->prefetch < 0 ? NULL : prefetch);
	fcntl(lifeline, F_SETFD, 0);
	fcntl(ready, F_SETFD, 0);
	setsid();
	signals_unblock();
	execv(program, (char *const *)arguments.word);
	complain("%s: %s", program, strerror(errno));
	_exit(STATUS_FAILED);
}

static int daemon_await(struct daemon_process *daemon, int ready)
{
	char byte;
	ssize_t got;
	do {
		got = read(ready, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got == 1)
		return 0;
	int status = 0;
	waitpid(daemon->pid, &status, 0);
	daemon->pid = 0;
	complain("pagerd did not start");
	return WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE ? STATUS_USAGE
									: STATUS_UNAVAILABLE;
}

static int daemon_spawn(struct daemon_process *daemon, const char *program,
			const struct daemon_options *options)
{
	int lifeline[2], ready[2];
	if (pipe2(lifeline, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0) {
		complain("pipe: %s", strerror(errno));
		return STATUS_FAILED;
	}
	daemon->pid = fork();
	if (!daemon->pid)
		daemon_exec(daemon, program, options, lifeline[0], ready[1]);
	close(lifeline[0]);
	close(ready[1]);
	daemon->lifeline = lifeline[1];
	int status = daemon_await(daemon, ready[0]);
	close(ready[0]);
	if (status)
		close(lifeline[1]);
	return status;
}

static void directory_remove(const struct daemon_process *daemon)
{
	char lock[sizeof daemon->socket + 8];
	snprintf(lock, sizeof lock, "%s.lock", daemon->socket);
	unlink(daemon->socket);
	unlink(lock);
	rmdir(daemon->directory);
}

int daemon_process_start(struct daemon_process *daemon, const struct daemon_options *options)
{
	char program[LOCATE_MAX];
	*daemon = (struct daemon_process){.directory = "/tmp/pagerbench-XXXXXX"};
	if (locate_daemon(program) < 0) {
		complain("pagerd was not found (PAGERD_DAEMON names it)");
		return STATUS_UNAVAILABLE;
	}
	if (!mkdtemp(daemon->directory)) {
		complain("%s: %s", daemon->directory, strerror(errno));
		return STATUS_FAILED;
	}
	snprintf(daemon->socket, sizeof daemon->socket, "%s/pagerd.sock", daemon->directory);
	int status = daemon_spawn(daemon, program, options);
	if (status)
		directory_remove(daemon);
	return status;
}

int daemon_process_end(struct daemon_process *daemon)
{
	int status = 0;
	if (!daemon->pid)
		return 0;
	kill(daemon->pid, SIGTERM);
	while (waitpid(daemon->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(daemon->lifeline);
	directory_remove(daemon);
	daemon->pid = 0;
	if (!status)
		return 0;
	complain("pagerd ended with %s %d", WIFEXITED(status) ? "status" : "signal",
		 WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return STATUS_FAILED;
}
