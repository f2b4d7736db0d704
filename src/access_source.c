/* SPDX-License-Identifier: MIT */
/* The sources of access information, by name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "pagemap.h"
#include "pager.h"

int access_parse(const char *source, uint32_t *looks)
{
	static const char harvest[] = "harvest";
	size_t length = sizeof harvest - 1;
	unsigned value = 1;
	int end = 0;
	if (strcmp(source, "faults") == 0) {
		*looks = 0;
		return 0;
	}
	if (strcmp(source, "auto") == 0) {
		*looks = pagemap_supported() ? ACCESS_AUTO : 0;
		return 0;
	}
	if (strncmp(source, harvest, length) != 0)
		return -EINVAL;
	if (source[length] &&
	    (source[length] != ':' || source[length + 1] < '1' || source[length + 1] > '9' ||
	     sscanf(source + length, ":%2u%n", &value, &end) != 1 || source[length + (size_t)end] ||
	     value > ACCESS_LOOKS_MAX))
		return -EINVAL;
	if (!pagemap_supported())
		return -ENOSYS;
	*looks = value;
	return 0;
}

void access_name(uint32_t looks, char *name)
{
	if (looks == ACCESS_AUTO)
		snprintf(name, ACCESS_SOURCE_NAME, "auto");
	else if (looks)
		snprintf(name, ACCESS_SOURCE_NAME, "harvest:%u", looks);
	else
		snprintf(name, ACCESS_SOURCE_NAME, "faults");
}

void access_describe(const struct pager_snapshot *snapshot, char *name)
{
	uint32_t looking = snapshot->access_shards - snapshot->access_idle;
	char now[ACCESS_SOURCE_NAME];
	access_name(looking ? snapshot->access_looks : 0, now);
	if (!snapshot->access_auto)
		strcpy(name, now);
	else if (looking && snapshot->access_idle)
		snprintf(name, ACCESS_SOURCE_NAME, "auto (%.10s in %u of %u threads)", now, looking,
			 snapshot->access_shards);
	else
		snprintf(name, ACCESS_SOURCE_NAME, "auto (%.10s)", now);
}
