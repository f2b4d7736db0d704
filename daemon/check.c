/* SPDX-License-Identifier: MIT */
/* pagerd --check: what kernel and permissions allow, and how to fix what is missing. */
#include "access.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "pager.h"
#include "rights.h"

#define PROBES 16

/* Returns present, or true where nothing requires it. */
static bool line(bool present, bool required, const char *name, const char *detail)
{
	const char *word = present ? "ok" : required ? "MISSING" : "optional";
	printf("%-9s %s%s%s\n", word, name, detail[0] ? ": " : "", detail);
	return present || !required;
}

/* Does the kernel make huge pages of shared memory unasked, as the file's chosen word says? */
static bool huge_unasked(const char *path)
{
	char text[128] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = 0;
	close(fd);
	return strstr(text, "[always]") || strstr(text, "[force]") || strstr(text, "[within_size]");
}

/* A huge page made for one page's fault is memory beyond the budget. Since Linux 6.11 each size
 * has a switch of its own, too. */
static bool check_shmem_huge(void)
{
	glob_t found = {0};
	char detail[200] = "";
	glob("/sys/kernel/mm/transparent_hugepage/shmem_enabled", 0, NULL, &found);
	glob("/sys/kernel/mm/transparent_hugepage/hugepages-*/shmem_enabled", GLOB_APPEND, NULL,
	     &found);
	for (size_t i = 0; i < found.gl_pathc && !detail[0]; i++)
		if (huge_unasked(found.gl_pathv[i]))
			snprintf(detail, sizeof detail, "echo advise > %s", found.gl_pathv[i]);
	globfree(&found);
	return line(!detail[0], true, "shared memory in 4 KiB pages", detail);
}

static void check_cgroup(void)
{
	const char *found = "none: limits of whole programs cannot be enforced from outside";
	if (!access("/sys/fs/cgroup/cgroup.controllers", F_OK))
		found = "version 2";
	else if (!access("/sys/fs/cgroup/memory/memory.limit_in_bytes", F_OK))
		found = "version 1";
	line(found[0] == 'v', false, "memory cgroup", found);
}

/* Make a file there that has no name, as the core does for its swap. 0 or -errno. */
static int swap_try(const char *directory, int flags)
{
	char name[300];
	int fd = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC | flags, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		snprintf(name, sizeof name, "%s/.pagerd-check.%ld", directory, (long)getpid());
		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | flags, 0600);
		int error = errno;
		if (fd >= 0)
			unlink(name);
		errno = error;
	}
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool check_swap(const char *directory)
{
	char detail[300];
	if (!swap_try(directory, O_DIRECT))
		return line(true, true, "swap directory", directory);
	int error = swap_try(directory, 0);
	if (error == -ENOENT && !geteuid() && !strcmp(directory, SWAP_SERVICE))
		return line(true, true, "swap directory", SWAP_SERVICE ", made at the start");
	if (error)
		snprintf(detail, sizeof detail, "%s: %s; choose another with --swap DIR", directory,
			 strerror(-error));
	else
		snprintf(detail, sizeof detail,
			 "%s: no O_DIRECT there, I/O goes through the page cache", directory);
	return line(!error, true, "swap directory", detail);
}

static void check_device(int device_fd)
{
	line(device_fd >= 0, false, "/dev/userfaultfd",
	     device_fd >= 0
		     ? "open: clients need no privilege"
		     : "not accessible; clients then need vm.unprivileged_userfaultfd=1, or "
		       "this user the device (chgrp and chmod g+rw, or setfacl -m u:USER:rw)");
	bool ptrace = rights_capable(CAP_SYS_PTRACE);
	line(ptrace, false, "CAP_SYS_PTRACE",
	     ptrace ? "granted"
		    : "run as root, or with systemd's AmbientCapabilities=CAP_SYS_PTRACE: it "
		      "grants userfaultfd(2) to the daemon");
}

static void check_files(void)
{
	struct rlimit limit;
	char detail[80];
	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(detail, sizeof detail,
		 "%llu, one is used for each mapping and two for each client",
		 (unsigned long long)limit.rlim_max);
	line(limit.rlim_max >= 4096, false, "open files", detail);
}

int check_print(const struct config *config, int device_fd, int latency_fd)
{
	struct pager_probe probes[PROBES];
	size_t count = pager_probe(device_fd, probes, PROBES);
	bool good = true;
	check_device(device_fd);
	for (size_t i = 0; i < count; i++)
		good &= line(probes[i].present, probes[i].required, probes[i].name,
			     probes[i].detail);
	line(latency_fd >= 0, false, "/dev/cpu_dma_latency",
	     latency_fd >= 0 ? "open" : "not writable: faults cost more where idle CPUs sleep");
	char access[ACCESS_SOURCE_NAME];
	access_name(config->access_looks, access);
	line(config->access_looks, false, "access information",
	     config->access_looks ? access : "faults only; harvest needs Linux 6.7 or later");
	good &= check_swap(config->swap);
	check_cgroup();
	good &= check_shmem_huge();
	check_files();
	return good ? 0 : EXIT_PERMISSION;
}

int check_required(int device_fd)
{
	struct pager_probe probes[PROBES];
	size_t count = pager_probe(device_fd, probes, PROBES);
	int status = 0;
	for (size_t i = 0; i < count; i++) {
		if (!probes[i].required || probes[i].present)
			continue;
		log_warn("missing: %s: %s", probes[i].name, probes[i].detail);
		status = EXIT_PERMISSION;
	}
	if (status)
		log_warn("pagerd --check says more");
	return status;
}
