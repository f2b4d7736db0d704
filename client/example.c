/* SPDX-License-Identifier: MIT */
/* libpagerd by example: 64 MiB of anonymous memory and a file, paged by the daemon. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pagerd/pagerd.h"

#define ANONYMOUS_BYTES (64ul << 20)
#define COUNT		(ANONYMOUS_BYTES / sizeof(uint64_t))
#define FILE_BYTES	(1ul << 20)

static void check(const char *what, int result)
{
	if (result == 0)
		return;
	fprintf(stderr, "example: %s: %s\n", what, strerror(-result));
	exit(1);
}

int main(void)
{
	struct pagerd *pager;
	check("connect", pagerd_connect(&pager, NULL));

	int error = 0, protection = PROT_READ | PROT_WRITE;
	uint64_t *numbers = pagerd_map(pager, NULL, ANONYMOUS_BYTES, protection,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &error);
	check("map memory", error);
	for (size_t i = 0; i < COUNT; i++)
		numbers[i] = i * i;
	for (size_t i = 0; i < COUNT; i++)
		check("compare memory", numbers[i] == i * i ? 0 : -EIO);

	char name[] = "/var/tmp/pagerd-example-XXXXXX", text[6] = "";
	int file = mkstemp(name);
	check("make a file", file < 0 || ftruncate(file, FILE_BYTES) < 0 ? -EIO : 0);
	char *bytes = pagerd_map(pager, NULL, FILE_BYTES, protection, MAP_SHARED, file, 0, &error);
	check("map the file", error);
	strcpy(bytes, "hello");
	check("sync", pagerd_sync(pager, bytes, FILE_BYTES, MS_SYNC));
	check("read the file", pread(file, text, 5, 0) == 5 && !strcmp(text, "hello") ? 0 : -EIO);

	struct pagerd_stats stats;
	check("statistics", pagerd_statistics(pager, &stats));
	printf("faults: %" PRIu64 " with a read, %" PRIu64 " without; pages: %" PRIu64
	       " read, %" PRIu64 " written, %" PRIu64 " resident\n",
	       stats.faults_major, stats.faults_minor + stats.faults_zero, stats.pages_read,
	       stats.pages_written, stats.resident_pages);

	check("unmap memory", pagerd_unmap(pager, numbers, ANONYMOUS_BYTES));
	pagerd_disconnect(pager);
	unlink(name);
	return 0;
}
