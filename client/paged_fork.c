/* SPDX-License-Identifier: MIT */
/* Carrying paged memory through fork. */
#include "paged_fork.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "agent.h"
#include "spare.h"
#include "sys.h"
#include "wire.h"

/* Whether the program has lowered its limit since there were numbers: what was kept for a child is
 * above it, and makes no room. */
static bool limit_lowered(int child_socket)
{
	uint64_t limit = sys_descriptor_limit();
	return (uint64_t)child_socket >= limit || spare_lowest((unsigned)limit, UINT_MAX) >= 0;
}

/* As high as it may be, for a moment. */
static void limit_raise(struct rlimit *was)
{
	*was = (struct rlimit){.rlim_cur = 0};
	sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)was, 0, 0);
	struct rlimit most = {was->rlim_max, was->rlim_max};
	if (was->rlim_cur < was->rlim_max)
		sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)&most, 0, 0, 0);
}

static void limit_restore(const struct rlimit *was)
{
	if (was->rlim_cur < was->rlim_max)
		sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)was, 0, 0, 0);
}

/* What could not begin is ended: who stores waits for that. */
static int fork_try(struct paged *paged, int *child_socket)
{
	int result = session_fork(&paged->session, child_socket);
	if (result < 0)
		session_fork_end(&paged->session);
	return result;
}

int paged_fork_begin(struct paged *paged, int *child_socket)
{
	struct rlimit limit;
	int result = fork_try(paged, child_socket);
	/* There was no number for the child's socket, and its session has ended with that. */
	if (result == -EMFILE) {
		spare_release();
		limit_raise(&limit);
		result = fork_try(paged, child_socket);
		limit_restore(&limit);
	}
	if (result == 0)
		*child_socket = wire_move_high(*child_socket);
	return result;
}

int paged_fork_end(struct paged *paged)
{
	return session_fork_end(&paged->session);
}

void paged_fork_forget(struct paged *paged)
{
	session_finish(&paged->session);
	agent_forget();
	regions_finish(&paged->regions);
}

/* Where paged memory was the child has holes (MADV_DONTFORK). Before anything is mapped that may go
 * anywhere, the new table above all, the holes are filled: what went there would be mapped over. */
static int holes_fill(const struct regions *inherited)
{
	for (size_t i = 0; i < inherited->count; i++) {
		const struct region *region = &inherited->entries[i];
		long result =
			sys_mmap(region->start, region->end - region->start, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
		if (result < 0)
			return (int)result;
	}
	return 0;
}

static int adopt_region(struct paged *paged, const struct region *inherited)
{
	struct region region = *inherited;
	struct session_object object;
	uint64_t length = region.end - region.start;
	if (region.kind == PAGERD_ANON_PRIVATE)
		region.kind = PAGERD_ANON_FORKED;
	region.flags &= (uint16_t)~REGION_ONFAULT; /* locks are not inherited */
	int result = session_open(&paged->session, region.start, length, &object);
	if (result < 0)
		return result;
	region.offset = object.offset;
	result = paged_serve(paged, &region, object.shard);
	if (result == 0)
		result = paged_attach(paged, &region, object.memfd, 0);
	sys_close(object.memfd);
	return result;
}

static int adopt_zeros(struct paged *paged, const struct region *region)
{
	struct mapping mapping = {
		.address = region->start,
		.length = region->end - region->start,
		.protection = region->protection,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		.fd = -1,
		.kind = PAGERD_ANON_PRIVATE,
	};
	int error;
	long address = paged_mmap(paged, &mapping, &error);
	if (address < 0)
		return (int)address;
	/* It stays so for the child's own children. */
	return paged_madvise(paged, mapping.address, mapping.length, MADV_WIPEONFORK);
}

static int adopt(struct paged *paged, const struct region *region)
{
	if (!(region->flags & (REGION_DONTFORK | REGION_WIPEONFORK)))
		return adopt_region(paged, region);
	int result = session_range(&paged->session, PAGERD_UNMAP, region->start,
				   region->end - region->start, 0);
	if (result == 0 && (region->flags & REGION_DONTFORK))
		result = sys_munmap(region->start, region->end - region->start);
	else if (result == 0)
		result = adopt_zeros(paged, region);
	return result;
}

int paged_fork_adopt(struct paged *paged, int child_socket)
{
	struct regions inherited = paged->regions;
	struct rlimit limit;
	bool lowered = limit_lowered(child_socket);
	paged->regions = (struct regions){.entries = NULL};
	session_finish(&paged->session);
	agent_forget();
	spare_release();
	if (lowered)
		limit_raise(&limit);
	int result = holes_fill(&inherited);
	if (result == 0)
		result = session_start(&paged->session, child_socket);
	if (result == 0)
		result = regions_reserve(&paged->regions, inherited.count + 1);
	for (size_t i = 0; i < inherited.count && result == 0; i++)
		result = adopt(paged, &inherited.entries[i]);
	spare_fill(&paged->session);
	if (lowered)
		limit_restore(&limit);
	regions_finish(&inherited);
	return result;
}
