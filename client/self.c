/* SPDX-License-Identifier: MIT */
#include "self.h"

#include <stddef.h>
#include <sys/mman.h>

#include "sys.h"

static uint32_t *self_mark; /* in a page that is zeros in a child of fork */
static uint32_t self_marks; /* given so far, by this process and those it descends from */

/* Without such a page the number alone must do. */
static uint32_t *mark_find(void)
{
	static uint32_t inherited;
	uint32_t *place = __atomic_load_n(&self_mark, __ATOMIC_ACQUIRE);
	if (place)
		return place;
	long page =
		sys_mmap(0, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page >= 0)
		sys_madvise((uint64_t)page, PAGE_BYTES, MADV_WIPEONFORK);
	uint32_t *made = page < 0 ? &inherited : (uint32_t *)page;
	if (__atomic_compare_exchange_n(&self_mark, &place, made, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return made;
	if (page >= 0)
		sys_munmap((uint64_t)page, PAGE_BYTES);
	return place;
}

struct self self_now(void)
{
	uint32_t *place = mark_find();
	uint32_t mark = __atomic_load_n(place, __ATOMIC_RELAXED);
	if (!mark) {
		uint32_t made = __atomic_add_fetch(&self_marks, 1, __ATOMIC_RELAXED);
		if (__atomic_compare_exchange_n(place, &mark, made, false, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			mark = made;
	}
	return (struct self){.pid = sys_getpid(), .mark = mark};
}

bool self_is(const struct self *self)
{
	const uint32_t *place = __atomic_load_n(&self_mark, __ATOMIC_ACQUIRE);
	return place && __atomic_load_n(place, __ATOMIC_RELAXED) == self->mark &&
	       sys_getpid() == self->pid;
}
