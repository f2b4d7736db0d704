/* SPDX-License-Identifier: MIT */
/* Limits and capabilities of the daemon's process. */
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/*
 * What is kept of root's capabilities. All else is done before: the devices, the swap file and the
 * ring (whose buffers are charged, or not, by CAP_IPC_LOCK at that moment) are open.
 *
 * CAP_SYS_PTRACE: UFFDIO_API grants the fork event on the daemon's rights.
 * CAP_DAC_OVERRIDE: a file that a client passed is opened once more through /proc/self/fd to get
 * O_DIRECT, with the access that the descriptor has and no more. Without it that fails for files
 * of other users, and their I/O goes through the page cache. It makes the daemon a deputy for
 * whatever descriptor it is handed: descriptor_mappable (descriptor.h) stands before that.
 * CAP_LEASE: whether a file is open for writing anywhere is asked by trying for a lease (cache.c).
 */
#define KEPT (1u << CAP_SYS_PTRACE | 1u << CAP_DAC_OVERRIDE | 1u << CAP_LEASE)

int rights_standard_files(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -errno;
	return 0;
}

/* The most that a hard limit of open files can be raised to. */
static rlim_t files_most(void)
{
	unsigned long most = 0;
	FILE *file = fopen("/proc/sys/fs/nr_open", "re");
	if (!file)
		return 0;
	if (fscanf(file, "%lu", &most) != 1)
		most = 0;
	fclose(file);
	return most;
}

static uint32_t raise_files(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return 0;
	rlim_t most = files_most();
	struct rlimit raised = {most, most};
	if (most <= files.rlim_max || setrlimit(RLIMIT_NOFILE, &raised) < 0) {
		raised.rlim_cur = raised.rlim_max = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &raised);
	}
	return raised.rlim_cur < UINT32_MAX ? (uint32_t)raised.rlim_cur : UINT32_MAX;
}

/* What a private daemon has of its command, for which they are meant. */
static const struct limit {
	int resource;
	const char *name;
	const char *outcome; /* if it stays */
} limits[] = {
	{RLIMIT_CPU, "processor time (ulimit -t)",
	 "the daemon is killed when it is reached, and its programs with it"},
	/* memfds are larger than any file. */
	{RLIMIT_FSIZE, "the size of files (ulimit -f)", "nothing can be paged"},
	{RLIMIT_AS, "addresses (ulimit -v)", "what does not fit is left to the kernel"},
	{RLIMIT_DATA, "data (ulimit -d)", "what does not fit is left to the kernel"},
};

static void raise_limit(const struct limit *limit)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY}, own;
	if (!setrlimit(limit->resource, &unlimited) || getrlimit(limit->resource, &own) < 0)
		return;
	own.rlim_cur = own.rlim_max;
	setrlimit(limit->resource, &own);
	if (own.rlim_max != RLIM_INFINITY)
		log_warn("the limit of %s holds for the daemon, too: %s", limit->name,
			 limit->outcome);
}

uint32_t rights_raise_limits(void)
{
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		raise_limit(&limits[i]);
	signal(SIGXFSZ, SIG_IGN);
	return raise_files();
}

static int capabilities_get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

bool rights_capable(unsigned capability)
{
	struct __user_cap_data_struct data[2];
	if (capabilities_get(data))
		return false;
	return data[capability / 32].effective >> capability % 32 & 1;
}

int rights_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	/* So that root's exec would not bring back what is dropped here. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	int error = capabilities_get(data);
	if (error)
		return error;
	data[0].permitted &= KEPT;
	data[1].permitted = 0;
	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
