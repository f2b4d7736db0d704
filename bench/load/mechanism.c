/* SPDX-License-Identifier: MIT */
/* A bare userfaultfd loop. */
#include "mechanism.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"
#include "page.h"

static _Noreturn void serve(int uffd)
{
	static const char page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	struct uffd_msg message;

	while (read(uffd, &message, sizeof message) == sizeof message) {
		struct uffdio_copy copy = {
			.dst = message.arg.pagefault.address & -(uint64_t)PAGE_BYTES,
			.src = (uintptr_t)page,
			.len = PAGE_BYTES,
		};

		if (ioctl(uffd, UFFDIO_COPY, &copy) < 0)
			die("UFFDIO_COPY");
	}
	die("read of userfaultfd");
}

/* A descriptor serves the memory of the process that made it, whoever reads it. */
void mechanism_start(void *memory, size_t bytes)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {
		.range = {(uintptr_t)memory, bytes},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	pid_t child;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) < 0)
		die("userfaultfd");
	if (ioctl(uffd, UFFDIO_REGISTER, &range) < 0)
		die("UFFDIO_REGISTER");
	child = fork();
	if (child < 0)
		die("fork");
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(0);
	serve(uffd);
}
