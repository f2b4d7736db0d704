/* SPDX-License-Identifier: MIT */
/*
 * The C API's errors, as its header has them.
 *
 *	library DIR PID
 *
 * DIR is on a disk; PID is the daemon, which is killed at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagerd/pagerd.h"

#define BYTES (1ul << 20)

static const int both = PROT_READ | PROT_WRITE;
static struct pagerd *pager;

static void expect(const char *what, int got, int wanted)
{
	if (got == wanted)
		return;
	fprintf(stderr, "%s: %s, not %s\n", what, strerrorname_np(-got), strerrorname_np(-wanted));
	exit(1);
}

static void *map(const char *what, int protection, int flags, int fd, int wanted)
{
	int error = 0;
	void *memory = pagerd_map(pager, NULL, BYTES, protection, flags, fd, 0, &error);
	expect(what, error, wanted);
	expect(what, memory ? 0 : wanted, wanted);
	return memory;
}

static void refused(int file, int reader)
{
	map("a private mapping of a file", both, MAP_PRIVATE, file, -EOPNOTSUPP);
	map("executable", both | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, -EOPNOTSUPP);
	map("a stack", both, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, -EOPNOTSUPP);
	map("tmpfs", both, MAP_SHARED, memfd_create("tmpfs", MFD_CLOEXEC), -EOPNOTSUPP);
	map("to write by a reader", both, MAP_SHARED, reader, -EACCES);
	map("nothing open", both, MAP_SHARED, 999, -EBADF);
	map("neither shared nor private", both, MAP_ANONYMOUS, -1, -EINVAL);
}

static void ranges(char *memory, char *bytes)
{
	char *nothing = memory + 64 * BYTES;
	expect("sync: misaligned", pagerd_sync(pager, bytes + 1, 1, MS_SYNC), -EINVAL);
	expect("sync: flags", pagerd_sync(pager, bytes, 1, MS_SYNC | MS_ASYNC), -EINVAL);
	expect("sync: nothing", pagerd_sync(pager, bytes, 0, MS_SYNC), 0);
	expect("sync: nothing, misaligned", pagerd_sync(pager, bytes + 1, 0, MS_SYNC), -EINVAL);
	expect("sync: nothing, flags", pagerd_sync(pager, bytes, 0, 0x100), -EINVAL);
	expect("sync: nothing there", pagerd_sync(pager, nothing, 1, MS_SYNC), -ENOMEM);
	expect("advise: unknown", pagerd_advise(pager, memory, 1, 999), -EINVAL);
	expect("advise: misaligned", pagerd_advise(pager, memory + 1, 1, MADV_COLD), -EINVAL);
	expect("advise: nothing", pagerd_advise(pager, memory, 0, MADV_COLD), 0);
	expect("advise: nothing, unknown", pagerd_advise(pager, memory, 0, 999), -EINVAL);
	expect("advise: free a file", pagerd_advise(pager, bytes, BYTES, MADV_FREE), -EINVAL);
	expect("advise: nothing there", pagerd_advise(pager, nothing, 1, MADV_COLD), -ENOMEM);
	expect("advise: zeros", pagerd_advise(pager, memory, BYTES, MADV_DONTNEED), 0);
	expect("zeros", memory[0], 0);
	memory[0] = 'a';
	expect("advise: free", pagerd_advise(pager, memory, BYTES, MADV_FREE), 0);
	expect("zeros after free", memory[0], 0);
	expect("unmap: misaligned", pagerd_unmap(pager, memory + 1, 1), -EINVAL);
	expect("unmap", pagerd_unmap(pager, memory, BYTES), 0);
}

/* What was changed last is lost: nobody may be told that it is in the file. */
static void daemon_killed(pid_t daemon, char *bytes)
{
	struct pagerd_stats stats;
	bytes[0] = 'b';
	kill(daemon, SIGKILL);
	while (pagerd_statistics(pager, &stats) == 0)
		usleep(10000);
	map("without a daemon", both, MAP_PRIVATE | MAP_ANONYMOUS, -1, -ENOTCONN);
	expect("sync", pagerd_sync(pager, bytes, BYTES, MS_SYNC), -ENOTCONN);
	expect("unmap without a daemon", pagerd_unmap(pager, bytes, BYTES), -ENOTCONN);
}

int main(int argc, char **argv)
{
	struct pagerd *other;
	if (argc != 3 || chdir(argv[1]) < 0)
		return 64;
	expect("no socket", pagerd_connect(&other, "none"), -ENOENT);
	expect("no daemon", pagerd_connect(&other, "/dev/null"), -ECONNREFUSED);
	expect("connect", pagerd_connect(&pager, NULL), 0);
	expect("connect again", pagerd_connect(&other, NULL), 0);
	int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	int reader = open("file", O_RDONLY);
	expect("file", ftruncate(file, BYTES), 0);
	refused(file, reader);
	char *memory = map("memory", both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *bytes = map("file", both, MAP_SHARED, file, 0);
	memory[0] = bytes[0] = 'a';
	expect("sync", pagerd_sync(pager, bytes, BYTES, MS_SYNC), 0);
	ranges(memory, bytes);
	daemon_killed((pid_t)strtol(argv[2], NULL, 10), bytes);
	pagerd_disconnect(pager);
	pagerd_disconnect(other);
	return 0;
}
