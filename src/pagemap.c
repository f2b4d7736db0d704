/* SPDX-License-Identifier: MIT */
#include "pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pager.h"
#include "uapi.h"

#define SCAN_RANGES 64

/* Up to SCAN_RANGES ranges of pages that are mapped, from *address on, which becomes where the
 * next call is to go on. How many; or -errno. */
static int scan(int fd, uint64_t *address, uint64_t end, struct page_region *ranges)
{
	struct pm_scan_arg arg = {
		.size = sizeof arg,
		.start = *address,
		.end = end,
		.vec = (uintptr_t)ranges,
		.vec_len = SCAN_RANGES,
		.category_mask = PAGE_IS_PRESENT,
		.return_mask = PAGE_IS_PRESENT,
	};
	int count = ioctl(fd, PAGEMAP_SCAN, &arg);
	if (count < 0)
		return -errno;
	*address = arg.walk_end;
	return count;
}

void pagemap_scan(int fd, uint64_t address, uint32_t pages, uint8_t *mapped)
{
	struct page_region ranges[SCAN_RANGES];
	uint64_t at = address, end = address + ((uint64_t)pages << PAGE_SHIFT);
	while (at < end) {
		uint64_t before = at;
		int count = scan(fd, &at, end, ranges);
		for (int i = 0; i < count; i++)
			memset(mapped + ((ranges[i].start - address) >> PAGE_SHIFT), 1,
			       (ranges[i].end - ranges[i].start) >> PAGE_SHIFT);
		if (count < 0 || at <= before)
			return;
	}
}

/* An ioctl of this number may mean anything to another kind of file. */
bool pagemap_valid(int fd)
{
	struct statfs fs;
	struct page_region ranges[SCAN_RANGES];
	uint64_t at = 0;
	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC &&
	       scan(fd, &at, PAGE_BYTES, ranges) >= 0;
}

bool pagemap_supported(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool supported = fd >= 0 && pagemap_valid(fd);
	if (fd >= 0)
		close(fd);
	return supported;
}
