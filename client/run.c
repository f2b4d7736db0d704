/* SPDX-License-Identifier: MIT */
/* pagerctl run and record: a command whose memory is paged. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "heap.h"
#include "learned.h"
#include "locate.h"
#include "pagerctl.h"
#include "service.h"
#include "size.h"
#include "socket.h"
#include "supervise.h"

struct run {
	struct service_options service;
	const char *socket; /* --socket */
	const char *min;
	const char *learn;    /* file to write */
	const char *prefetch; /* file to read */
	const char *output;   /* of record: the trace */
	struct learned learned;
	uint64_t learn_number; /* 0: none */
	bool heap;
	bool verbose;
	char **command;
};

static int option_size(const char *name, const char *value, uint64_t *bytes)
{
	if (size_parse(value, bytes) == 0 && *bytes > 0)
		return 0;
	complain("run: %s %s: not a size (a number above 0, with K, M, G or T behind it)", name,
		 value);
	return STATUS_USAGE;
}

static uint64_t machine_bytes(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int option_memory(const char *value, uint64_t *bytes)
{
	int status = option_size("--memory", value, bytes);
	if (status != 0)
		return status;
	if (*bytes < PAGERD_MEMORY_MIN) {
		complain("run: --memory %s: too small to run, at least %lluK", value,
			 PAGERD_MEMORY_MIN >> 10);
		return STATUS_USAGE;
	}
	if (*bytes > machine_bytes()) {
		complain("run: --memory %s: more than the machine has (%lluM)", value,
			 (unsigned long long)machine_bytes() >> 20);
		return STATUS_USAGE;
	}
	return 0;
}

/* An option that has a value. */
static int option_value(struct run *run, const char *name, const char *value)
{
	uint64_t ignored;
	if (!value)
		return usage_error(name, "needs a value");
	if (strcmp(name, "--memory") == 0)
		return option_memory(value, &run->service.memory_bytes);
	if (strcmp(name, "--policy") == 0)
		run->service.policy = value;
	else if (strcmp(name, "--unit") == 0)
		run->service.unit = value;
	else if (strcmp(name, "--swap") == 0)
		run->service.swap = value;
	else if (strcmp(name, "--chaos") == 0)
		run->service.chaos = value;
	else if (strcmp(name, "--socket") == 0)
		run->socket = value;
	else if (strcmp(name, "--access") == 0)
		run->service.access = value;
	else if (strcmp(name, "--threads") == 0)
		run->service.threads = value;
	else if (strcmp(name, "--files") == 0)
		run->service.files = value;
	else if (strcmp(name, "--output") == 0 || strcmp(name, "-o") == 0)
		run->output = value;
	else if (strcmp(name, "--resident") == 0)
		run->service.resident = value;
	else if (strcmp(name, "--learn") == 0)
		run->learn = value;
	else if (strcmp(name, "--prefetch") == 0)
		run->prefetch = value;
	else
		run->min = value;
	return strcmp(name, "--min") == 0 ? option_size(name, value, &ignored) : 0;
}

static bool option_has_value(const char *name)
{
	static const char *const names[] = {"--memory", "--policy",  "--swap",	   "--socket",
					    "--min",	"--chaos",   "--learn",	   "--prefetch",
					    "--access", "--output",  "--resident", "-o",
					    "--unit",	"--threads", "--files"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool options_private(const struct service_options *options)
{
	return options->swap || options->chaos || options->access || options->threads ||
	       options->files || options->record >= 0;
}

/* What record needs, and run does not take. */
static int record_parse(struct run *run, bool record)
{
	if (!record && (run->output || run->service.resident))
		return usage_error(run->output ? "--output" : "--resident", "is for record");
	if (record && !run->output)
		return usage_error("record", "needs -o FILE, where the trace is to be written");
	if (run->socket && (record || options_private(&run->service)))
		return usage_error(
			"--socket",
			"names a daemon to join, but --swap, --access, --threads, --files, --chaos "
			"and record are for a private one");
	if (!record)
		return 0;
	run->service.record = open(run->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (run->service.record >= 0)
		return 0;
	complain("record: %s: %s", run->output, strerror(errno));
	return STATUS_RUN_FAILED;
}

/* The option that *arguments points to, "--name value" or "--name=value"; then to its last word. */
static int option(struct run *run, char ***arguments)
{
	const char *name = **arguments;
	char *value = strchr(name, '=');
	if (value)
		*value++ = 0;
	if (option_has_value(name))
		return option_value(run, name, value ? value : *++*arguments);
	if (value)
		return usage_error(name, "no option that has a value");
	if (strcmp(name, "--no-heap") == 0)
		run->heap = false;
	else if (strcmp(name, "--verbose") == 0)
		run->verbose = true;
	else
		return usage_error(name, "unknown option");
	return 0;
}

static int run_parse(char **arguments, struct run *run)
{
	for (; *arguments && **arguments == '-'; arguments++) {
		if (strcmp(*arguments, "--") == 0) {
			arguments++;
			break;
		}
		int status = option(run, &arguments);
		if (status != 0)
			return status;
	}
	if (!*arguments)
		return usage_error("command", "missing");
	run->command = arguments;
	return 0;
}

/* Does the daemon that was joined know the policy, or unit? Each process is going to ask for it. */
static int setting_check(struct service *service, const char *name, const char *value)
{
	char text[sizeof(((struct pagerd_set *)0)->text)], why[512] = "";
	if (!value)
		return 0;
	int length = snprintf(text, sizeof(text), "%s=%s check", name, value);
	if (length >= (int)sizeof(text) || strchr(value, ' '))
		return usage_error(value, "not a setting");
	int result = control_set(service->control, 0, text, -1, why, sizeof(why));
	if (result < 0)
		complain("run: --%s %s: %s", name, value, strerror(-result));
	else if (why[0])
		complain("run: --%s %s: %s", name, value, why);
	return result < 0 || why[0] ? STATUS_USAGE : 0;
}

/* Join a daemon unless the options ask for a private one; a private one if none answers, but not
 * if one was named. */
static int run_service(const struct run *run, struct service *service)
{
	struct service_options options = run->service;
	char room[SOCKET_PATH_MAX];
	const char *path = socket_choose(run->socket, room);
	service->control = -1;
	if (!options_private(&options)) {
		int status = service_join(service, path, !run->socket);
		if (status == 0)
			status = setting_check(service, "policy", options.policy);
		if (status == 0)
			status = setting_check(service, "unit", options.unit);
		if (service->control >= 0 || run->socket)
			return status;
	}
	if (options.memory_bytes == 0)
		options.memory_bytes = machine_bytes() / 2;
	return service_start(service, &options);
}

/* Before anything is started: are the files as they must be? */
static int run_files(struct run *run)
{
	int status = run->prefetch ? learned_read(&run->learned, run->prefetch) : 0;
	return status == 0 && run->learn ? learned_try(run->learn) : status;
}

static int run_learn(struct run *run, const struct service *service)
{
	if (!run->learn && !run->prefetch)
		return 0;
	int status = learned_start(service->control, run->learn, &run->learn_number);
	if (status == 0)
		status = learned_send(service->control, &run->learned);
	learned_finish(&run->learned);
	return status;
}

/* Without a value: not even that of a run around this one. */
static void environment_set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static int run_environment(const struct run *run, const struct service *service)
{
	char program[LOCATE_MAX], memory[24], number[24];
	if (locate_command(run->command[0], program) < 0)
		program[0] = 0; /* execvp says what is wrong */
	setenv("PAGERD_SOCKET", service->path, 1);
	if (run->min || run->service.chaos) /* chaos wants every page */
		setenv("PAGERD_MIN_BYTES", run->min ? run->min : "4096", 1);
	if (run->verbose)
		setenv("PAGERD_VERBOSE", "1", 1);
	snprintf(memory, sizeof(memory), "%llu", (unsigned long long)run->service.memory_bytes);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)run->learn_number);
	bool joined = !service->private;
	environment_set("PAGERD_MEMORY", joined && run->service.memory_bytes ? memory : NULL);
	environment_set("PAGERD_POLICY", joined ? run->service.policy : NULL);
	environment_set("PAGERD_UNIT", joined ? run->service.unit : NULL);
	environment_set("PAGERD_LEARN", run->learn_number ? number : NULL);
	return heap_prepare(program, run->heap);
}

/* Print what /usr/bin/time -v would, of the paged memory. */
static void run_account(const struct service *service)
{
	int result = control_report(service->control, PAGERD_REPORT_RUSAGE, 0, false, stderr);
	if (result < 0)
		complain("report: %s", strerror(-result));
}

static int run_command(const struct run *run, const struct service *service, bool *orphaned)
{
	struct descendants descendants;
	sigset_t signals;
	pid_t pid;
	int status = run_environment(run, service);
	if (status != 0)
		return status;
	descendants_prepare(&descendants);
	supervise_prepare(&signals);
	status = supervise_launch(run->command, &signals, &pid);
	if (status == 0)
		status = supervise(pid, service, &descendants, orphaned);
	supervise_finish(&signals);
	descendants_finish(&descendants);
	return status;
}

int run_main(char **argv)
{
	struct run run = {.heap = true, .service.record = -1};
	struct service service;
	bool orphaned = false;
	signal(SIGCHLD, SIG_DFL); /* were it ignored, children would be gone before we wait */
	int status = run_parse(argv + 1, &run);
	if (status == 0)
		status = record_parse(&run, strcmp(argv[0], "record") == 0);
	if (status == 0)
		status = run_files(&run);
	if (status == 0)
		status = run_service(&run, &service);
	if (status != 0)
		return status;
	status = run_learn(&run, &service);
	if (status == 0)
		status = run_command(&run, &service, &orphaned);
	if (orphaned) {
		complain("the daemon (process %u) has gone: killed %s and all that it started, "
			 "whose memory it had",
			 service.pid, run.command[0]);
		service_bury(&service);
		return status;
	}
	if (run.verbose)
		run_account(&service);
	if (run.learn && run.learn_number && learned_save(service.control, run.learn) != 0)
		status = STATUS_RUN_FAILED;
	service_finish(&service);
	return status;
}
