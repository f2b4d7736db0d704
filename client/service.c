/* SPDX-License-Identifier: MIT */
/* The daemon that a run uses. */
#include "service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "locate.h"
#include "pagerctl.h"

/* Descriptors in the daemon. */
#define LIFELINE 3
#define READY	 4
#define RECORD	 5

/* What a private daemon may take to end once its last client has gone. */
#define END_MS 3000

int service_join(struct service *service, const char *path, bool quiet)
{
	uint32_t pid;
	int control = control_open(path, &pid);
	if (control < 0) {
		if (!quiet || control == -EUSERS)
			complain_of_daemon(path, control);
		return STATUS_UNAVAILABLE;
	}
	*service = (struct service){.control = control, .pid = pid, .lifeline = -1};
	strcpy(service->path, path); /* it was a socket's address */
	return 0;
}

static int directory_make(struct service *service)
{
	const char *parents[] = {getenv("XDG_RUNTIME_DIR"), "/tmp"};
	for (int i = 0; i < 2; i++) {
		int length = snprintf(service->directory, sizeof(service->directory),
				      "%s/pagerctl-XXXXXX", parents[i] ? parents[i] : "/tmp");
		if (length + sizeof("/pagerd.sock") > sizeof(service->path) ||
		    !mkdtemp(service->directory))
			continue;
		snprintf(service->path, sizeof(service->path), "%.*s/pagerd.sock", length,
			 service->directory);
		return 0;
	}
	complain("cannot make a directory for the socket in /tmp: %s", strerror(errno));
	return STATUS_RUN_FAILED;
}

/* With what the daemon has put there: its socket, its lock, its filter, which may be a link to
 * where it is. */
static void directory_remove(const struct service *service)
{
	DIR *directory = opendir(service->directory);
	struct dirent *entry;
	while (directory && (entry = readdir(directory))) {
		char place[64];
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, place, sizeof(place) - 1);
		if (length > 0) {
			place[length] = 0;
			unlink(place);
		}
		unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory)
		closedir(directory);
	rmdir(service->directory);
}

/* In the child: nothing open but what the daemon is to have. It may outlive us, and whoever reads
 * from a pipe that we were given must not wait for it. */
static void descriptors_arrange(int lifeline, int ready, int record)
{
	/* Out of the way first: where standard files were closed, the pipes have their numbers. */
	lifeline = fcntl(lifeline, F_DUPFD, RECORD + 1);
	ready = fcntl(ready, F_DUPFD, RECORD + 1);
	record = record < 0 ? -1 : fcntl(record, F_DUPFD, RECORD + 1);
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(lifeline, LIFELINE);
	dup2(ready, READY);
	if (record >= 0)
		dup2(record, RECORD);
	close_range(record < 0 ? RECORD : RECORD + 1, UINT_MAX, 0);
}

/* Add an option, if it has a value; returns how many arguments there are. */
static int argument_add(char **arguments, int count, const char *name, const char *value)
{
	if (!value)
		return count;
	arguments[count++] = (char *)name;
	arguments[count++] = (char *)value;
	return count;
}

/* In the child: become pagerd. A session of its own, so that the terminal's signals do not end it
 * while the command still runs. */
static _Noreturn void daemon_exec(const struct service *service, const char *program,
				  const struct service_options *options, int lifeline, int ready)
{
	char memory[24], lifeline_text[12], ready_text[12], record_text[12];
	char *arguments[32] = {(char *)program,
			       (char *)"--memory",
			       memory,
			       (char *)"--socket",
			       (char *)service->path,
			       (char *)"--private",
			       (char *)"--lifeline",
			       lifeline_text,
			       (char *)"--ready-fd",
			       ready_text};
	int count = 10;
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)options->memory_bytes);
	snprintf(lifeline_text, sizeof(lifeline_text), "%d", LIFELINE);
	snprintf(ready_text, sizeof(ready_text), "%d", READY);
	count = argument_add(arguments, count, "--policy", options->policy);
	count = argument_add(arguments, count, "--unit", options->unit);
	count = argument_add(arguments, count, "--swap", options->swap);
	count = argument_add(arguments, count, "--chaos", options->chaos);
	if (options->chaos)
		arguments[count++] = (char *)"--check-invariants";
	count = argument_add(arguments, count, "--access", options->access);
	count = argument_add(arguments, count, "--threads", options->threads);
	count = argument_add(arguments, count, "--files", options->files);
	snprintf(record_text, sizeof(record_text), "%d", RECORD);
	count = argument_add(arguments, count, "--record",
			     options->record >= 0 ? record_text : NULL);
	argument_add(arguments, count, "--record-window", options->resident);
	setsid();
	unsetenv("LD_PRELOAD"); /* were we run under a pager ourselves: it is not for this one */
	descriptors_arrange(lifeline, ready, options->record);
	execv(program, arguments);
	complain("%s: %s", program, strerror(errno));
	_exit(STATUS_RUN_FAILED);
}

/* Wait for the byte that says that the daemon listens. */
static int daemon_wait_ready(pid_t pid, int ready)
{
	char byte;
	ssize_t got;
	do {
		got = read(ready, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got == 1)
		return 0;
	int status = 0;
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_USAGE)
		return STATUS_USAGE; /* it has said which of our options it did not like */
	if (WIFEXITED(status))
		complain("the private pagerd did not start (exit status %d)", WEXITSTATUS(status));
	else
		complain("the private pagerd did not start (signal %d)", WTERMSIG(status));
	return STATUS_RUN_FAILED;
}

/* A process that clears the socket away when the daemon ends, which may be long after this one
 * has, or has been killed. It holds nothing else open. */
static void daemon_watch(const struct service *service, pid_t pid)
{
	int daemon = pidfd_open(pid, 0);
	if (daemon >= 0 && fork() == 0) {
		struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
		setsid();
		dup2(daemon, STDIN_FILENO);
		close_range(STDIN_FILENO + 1, UINT_MAX, 0);
		poll(&end, 1, -1);
		directory_remove(service);
		_exit(0);
	}
	close(daemon);
}

static int daemon_spawn(struct service *service, const char *program,
			const struct service_options *options)
{
	int lifeline[2], ready[2];
	if (pipe2(lifeline, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0) {
		complain("pipe: %s", strerror(errno));
		return STATUS_RUN_FAILED;
	}
	pid_t pid = fork();
	if (pid == 0)
		daemon_exec(service, program, options, lifeline[0], ready[1]);
	close(lifeline[0]);
	close(ready[1]);
	int status = STATUS_RUN_FAILED;
	if (pid < 0) {
		complain("fork: %s", strerror(errno));
	} else {
		daemon_watch(service, pid);
		status = daemon_wait_ready(pid, ready[0]);
	}
	close(ready[0]);
	if (status != 0)
		close(lifeline[1]);
	service->lifeline = lifeline[1];
	return status;
}

int service_start(struct service *service, const struct service_options *options)
{
	char program[LOCATE_MAX];
	*service = (struct service){.control = -1, .lifeline = -1, .private = true};
	if (locate_daemon(program) < 0) {
		complain(
			"pagerd was not found beside pagerctl or in PATH (PAGERD_DAEMON names it)");
		return STATUS_RUN_FAILED;
	}
	int status = directory_make(service);
	if (status != 0)
		return status;
	status = daemon_spawn(service, program, options);
	if (status == 0) {
		service->control = control_open(service->path, &service->pid);
		if (service->control >= 0)
			return 0;
		complain("the private pagerd does not answer: %s", strerror(-service->control));
		close(service->lifeline);
		status = STATUS_RUN_FAILED;
	}
	directory_remove(service);
	return status;
}

void service_finish(struct service *service)
{
	int result = control_drain(service->control);
	if (result < 0)
		complain("some data may not be in its files yet: %s", strerror(-result));
	close(service->control);
	if (!service->private)
		return;
	int daemon = pidfd_open((pid_t)service->pid, 0);
	close(service->lifeline);
	struct pollfd end = {.fd = daemon, .events = POLLIN};
	if (daemon < 0 || poll(&end, 1, END_MS) != 0)
		directory_remove(service);
}

void service_bury(struct service *service)
{
	int status = 0;
	close(service->control);
	if (!service->private)
		return;
	close(service->lifeline);
	if (waitpid((pid_t)service->pid, &status, 0) > 0 && WIFSIGNALED(status))
		complain("pagerd was killed by signal %d", WTERMSIG(status));
	else
		complain("pagerd ended with status %d", WEXITSTATUS(status));
	directory_remove(service);
}
