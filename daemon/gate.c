/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "descriptor.h"

/* A memfd is on no list of mounts. Only what is memory has seals. */
static bool in_memory(int fd)
{
	return fcntl(fd, F_GET_SEALS) >= 0;
}

static bool is_regular(int fd)
{
	struct stat st;
	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

void gate_init(struct gate *gate, bool served)
{
	gate->served = served;
	mounts_init(&gate->mounts);
}

void gate_finish(struct gate *gate)
{
	mounts_finish(&gate->mounts);
}

bool gate_admits(struct gate *gate, int fd, pid_t pid)
{
	enum descriptor_kind kind = descriptor_kind(fd);
	if (kind != DESCRIPTOR_FILE)
		return kind == DESCRIPTOR_USERFAULTFD;
	return (gate->served || in_memory(fd) || mounts_local(&gate->mounts, fd, pid)) &&
	       is_regular(fd);
}

bool gate_admits_known(struct gate *gate, int fd)
{
	return (gate->served || in_memory(fd) || mounts_local_known(&gate->mounts, fd)) &&
	       is_regular(fd);
}
