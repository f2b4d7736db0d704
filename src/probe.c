/* SPDX-License-Identifier: MIT */
/* What the kernel and the permissions allow, and how to get what is missing. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pager.h"
#include "uffd.h"

struct probes {
	struct pager_probe *probe;
	size_t count, max;
};

static void report(struct probes *p, const char *name, bool present, bool required,
		   const char *detail)
{
	if (p->count == p->max)
		return;
	struct pager_probe *probe = &p->probe[p->count++];
	probe->name = name;
	probe->present = present;
	probe->required = required;
	snprintf(probe->detail, sizeof probe->detail, "%s", detail);
}

static int uffd_open(int device_fd)
{
	int fd = device_fd < 0 ? -1 : ioctl(device_fd, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void probe_features(struct probes *p, int device_fd)
{
	static const struct {
		uint64_t bit;
		const char *name;
		const char *since;
	} needed[] = {
		{UFFD_FEATURE_MISSING_SHMEM, "userfaultfd: missing pages of shared memory",
		 "needs Linux 4.11 or later"},
		{UFFD_FEATURE_PAGEFAULT_FLAG_WP, "userfaultfd: write protection",
		 "needs Linux 5.7 or later with CONFIG_HAVE_ARCH_USERFAULTFD_WP"},
		{UFFD_FEATURE_WP_HUGETLBFS_SHMEM, "userfaultfd: write protection of shared memory",
		 "needs Linux 5.19 or later with CONFIG_PTE_MARKER_UFFD_WP"},
		{UFFD_FEATURE_POISON, "userfaultfd: SIGBUS for a page that cannot be read",
		 "needs Linux 6.6 or later"},
	};
	int fd = uffd_open(device_fd);
	uint64_t features = 0;
	report(p, "userfaultfd with full rights", fd >= 0, true,
	       fd >= 0 ? "granted"
		       : "run as root, or give this user /dev/userfaultfd (udev rule, group, ACL), or "
			 "set sysctl vm.unprivileged_userfaultfd=1");
	if (fd < 0)
		return;
	uffd_features(fd, &features);
	close(fd);
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		bool present = features & needed[i].bit;
		report(p, needed[i].name, present, true, present ? "present" : needed[i].since);
	}
}

static void probe_ring(struct probes *p)
{
	struct io_uring ring;
	int error = io_uring_queue_init(8, &ring, 0);
	report(p, "io_uring", !error, true,
	       error ? "not permitted (paged programs have none) or not in this kernel: set sysctl "
		       "kernel.io_uring_disabled=0"
		     : "granted");
	if (!error)
		io_uring_queue_exit(&ring);
	unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	error = io_uring_queue_init(8, &ring, flags);
	report(p, "io_uring: deferred task work", !error, false,
	       error ? "faster with Linux 6.1 or later" : "present");
	if (!error)
		io_uring_queue_exit(&ring);
}

static void probe_memfd(struct probes *p)
{
	int fd = memfd_create("pagerd-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bool punch = fd >= 0 && !ftruncate(fd, 1 << 20) &&
		     !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	struct rlimit limit;
	bool limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
	report(p, "memfd with holes", punch, true,
	       punch	 ? "present"
	       : limited ? "a limit of file sizes is set: ulimit -f unlimited"
			 : "needs CONFIG_TMPFS");
	if (fd >= 0)
		close(fd);
}

size_t pager_probe(int device_fd, struct pager_probe *probes, size_t max)
{
	struct probes p = {.probe = probes, .max = max};
	probe_features(&p, device_fd);
	probe_ring(&p);
	probe_memfd(&p);
	return p.count;
}
