/* SPDX-License-Identifier: MIT */
/* Settings through the C API: two areas under limits of their own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pagerd/pagerd.h"

#define PAGES	   2048u
#define PAGE_BYTES 4096u

#define EXPECT(wanted, call)                                                                       \
	do {                                                                                       \
		int result_ = (call);                                                              \
		if (result_ != (wanted)) {                                                         \
			fprintf(stderr, "%s: %d, not %d\n", #call, result_, wanted);               \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static char *area_map(struct pagerd *pager)
{
	int error = 0;
	char *area = pagerd_map(pager, NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &error);
	if (!area) {
		fprintf(stderr, "pagerd_map: %s\n", strerror(-error));
		exit(1);
	}
	return area;
}

static void area_use(char *area, char value)
{
	for (size_t i = 0; i < PAGES; i++)
		area[i * PAGE_BYTES] = (char)(value + (char)i);
	for (size_t i = 0; i < PAGES; i++) {
		if (area[i * PAGE_BYTES] != (char)(value + (char)i)) {
			fprintf(stderr, "page %zu is wrong\n", i);
			exit(1);
		}
	}
}

static uint64_t resident(struct pagerd *pager)
{
	struct pagerd_stats stats;
	EXPECT(0, pagerd_statistics(pager, &stats));
	return stats.resident_pages;
}

int main(void)
{
	struct pagerd *pager;
	int here = 0;
	EXPECT(0, pagerd_connect(&pager, NULL));
	char *one = area_map(pager), *other = area_map(pager);
	EXPECT(-ENOMEM, pagerd_set(pager, &here, "memory=1M"));
	EXPECT(-EINVAL, pagerd_set(pager, NULL, NULL));
	EXPECT(-EINVAL, pagerd_set(pager, one, NULL));
	EXPECT(-EINVAL, pagerd_set(pager, one, "memory=1K"));
	EXPECT(-EINVAL, pagerd_set(pager, one, "policy=best"));
	EXPECT(-EINVAL, pagerd_set(pager, NULL, "policy=lfu:best=1"));
	EXPECT(-EINVAL, pagerd_set(pager, NULL, "colour=red"));
	EXPECT(-EINVAL, pagerd_set(pager, NULL, ""));
	EXPECT(0, pagerd_set(pager, one, "memory=1M policy=lfu:decay=4"));
	EXPECT(0, pagerd_set(pager, NULL, "memory=2M policy=fifo"));
	area_use(one, 1);
	area_use(other, 2);
	/* 256 pages of the one and 512 of all else. */
	if (resident(pager) > 768 || resident(pager) < 512) {
		fprintf(stderr, "%lu pages are resident\n", (unsigned long)resident(pager));
		return 1;
	}
	puts("set");
	fflush(stdout);
	if (getchar() < 0)
		return 1;
	EXPECT(0, pagerd_set(pager, one, "default"));
	EXPECT(0, pagerd_set(pager, NULL, "default"));
	area_use(one, 3);
	area_use(other, 4);
	pagerd_disconnect(pager);
	return 0;
}
