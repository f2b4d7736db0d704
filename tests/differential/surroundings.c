/* SPDX-License-Identifier: MIT */
/* What some programs have around them: signals, and limits. */
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "worker.h"

enum {
	ALARM_US = 2000,
	LOCKED_PAGES = 40,
};

static void on_alarm(int number)
{
}

/* What they interrupt must go on. */
static void alarms_begin(void)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	struct itimerval often = {{.tv_usec = ALARM_US}, {.tv_usec = ALARM_US}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* Root may lock what it likes. */
static void limits_begin(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct rlimit locked = {LOCKED_PAGES * PAGE, LOCKED_PAGES * PAGE};
	struct rlimit space = {SPACE_BYTES, SPACE_BYTES};

	if (syscall(SYS_capget, &header, data) == 0) {
		data[0].effective &= ~(1u << CAP_IPC_LOCK);
		syscall(SYS_capset, &header, data);
	}
	setrlimit(RLIMIT_MEMLOCK, &locked);
	setrlimit(RLIMIT_AS, &space);
}

void surroundings_begin(const struct program *program)
{
	if (program->alarms)
		alarms_begin();
	if (program->limits)
		limits_begin();
}
