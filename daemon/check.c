/* SPDX-License-Identifier: MIT */
/* pagerd --check: what kernel and permissions allow, and how to fix what is missing. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "pager.h"

#define PROBES 16

static void line(bool present, bool required, const char *name, const char *detail)
{
	const char *word = present ? "ok" : required ? "MISSING" : "optional";
	printf("%-9s %s%s%s\n", word, name, detail[0] ? ": " : "", detail);
}

static void check_shmem_huge(void)
{
	char text[128] = "";
	int fd = open("/sys/kernel/mm/transparent_hugepage/shmem_enabled", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) < 0)
			text[0] = 0;
		close(fd);
	}
	bool bad = strstr(text, "[always]") || strstr(text, "[force]");
	line(!bad, false, "shared memory in 4 KiB pages",
	     bad ? "echo never > /sys/kernel/mm/transparent_hugepage/shmem_enabled" : "");
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

static void check_swap(const char *directory)
{
	char detail[300];
	int fd = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC | O_DIRECT, 0600);
	if (fd >= 0) {
		line(true, false, "swap directory", directory);
		close(fd);
		return;
	}
	int error = errno;
	fd = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	snprintf(detail, sizeof detail, "%s: %s", directory,
		 fd >= 0 ? "no O_DIRECT there, I/O goes through the page cache" : strerror(error));
	line(fd >= 0, false, "swap directory", detail);
}

static void check_files(void)
{
	struct rlimit limit;
	char detail[80];
	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(detail, sizeof detail, "%llu, one is used for each mapping and two for each client",
		 (unsigned long long)limit.rlim_max);
	line(limit.rlim_max >= 4096, false, "open files", detail);
}

int check_print(const struct config *config, int device_fd, int latency_fd)
{
	struct pager_probe probes[PROBES];
	size_t count = pager_probe(device_fd, probes, PROBES);
	int status = 0;
	line(device_fd >= 0, false, "/dev/userfaultfd",
	     device_fd >= 0 ? "open: clients need no privilege"
			    : "not accessible: clients then need vm.unprivileged_userfaultfd=1");
	for (size_t i = 0; i < count; i++) {
		line(probes[i].present, probes[i].required, probes[i].name, probes[i].detail);
		if (probes[i].required && !probes[i].present)
			status = EXIT_PERMISSION;
	}
	line(latency_fd >= 0, false, "/dev/cpu_dma_latency",
	     latency_fd >= 0 ? "open" : "not writable: faults cost more where idle CPUs sleep");
	line(true, false, "access information", "faults");
	check_swap(config->swap);
	check_cgroup();
	check_shmem_huge();
	check_files();
	return status;
}

int check_required(int device_fd)
{
	struct pager_probe probes[PROBES];
	size_t count = pager_probe(device_fd, probes, PROBES);
	for (size_t i = 0; i < count; i++) {
		if (!probes[i].required || probes[i].present)
			continue;
		log_warn("missing: %s: %s", probes[i].name, probes[i].detail);
		return EXIT_PERMISSION;
	}
	return 0;
}
