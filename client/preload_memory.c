/* SPDX-License-Identifier: MIT */
/* Wrappers of the memory calls. */

/* With 64 in it, the header would rename mmap to mmap64. Both are defined here, and are one. */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "preload.h"
#include "spare.h"

/* What the call does where nothing can be paged. */
static long map_plain(const struct mapping *mapping)
{
	return sys_mmap(mapping->address, mapping->length, mapping->protection, mapping->flags,
			mapping->fd, mapping->offset);
}

static long map_paged(struct mapping *mapping)
{
	sys_signals signals;
	preload_enter(&signals);
	if (mapping->kind != 0 && preload_join() < 0)
		mapping->kind = 0;
	int refused = 0;
	long address = paged_mmap(&preload.paged, mapping, &refused);
	bool file = mapping->kind == PAGERD_FILE_SHARED || mapping->kind == PAGERD_FILE_PRIVATE;
	if (file && refused == 0 && address >= 0)
		preload_file_mapped(mapping->fd);
	if (mapping->kind == PAGERD_FILE_SHARED && refused == -ENOTCONN)
		preload_die("the daemon has gone with what was changed in mapped files");
	if (preload.state == PRELOAD_ON)
		spare_fill(&preload.paged.session);
	bool complain = preload.verbose && refused < 0;
	preload_leave(&signals);
	if (complain)
		sys_complain("pagerd: the daemon refused a mapping: it stays with the kernel\n");
	return address;
}

static bool map_may_page(struct mapping *mapping)
{
	uint32_t state = __atomic_load_n(&preload.state, __ATOMIC_ACQUIRE);
	if (state == PRELOAD_NEW) {
		sys_signals signals;
		preload_enter(&signals);
		preload_leave(&signals);
		state = preload.state;
	}
	if (state != PRELOAD_IDLE && state != PRELOAD_ON)
		return false;
	mapping->locked = (mapping->flags & MAP_LOCKED) || preload.locks_new;
	mapping->onfault = preload.locks_new & MCL_ONFAULT;
	mapping->kind = choose_kind(&preload.choice, mapping);
	bool replaces = (mapping->flags & MAP_FIXED) && preload_paging();
	return replaces || (mapping->kind != 0 && self_is(&preload.self));
}

EXPORT void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	struct mapping mapping = {
		.address = (uint64_t)address,
		.length = length,
		.protection = protection,
		.flags = flags,
		.fd = fd,
		.offset = (uint64_t)offset,
	};
	long result = map_may_page(&mapping) ? map_paged(&mapping) : map_plain(&mapping);
	if (result < 0 && result > -(long)PAGE_BYTES) {
		errno = (int)-result;
		return MAP_FAILED;
	}
	return (void *)result;
}

EXPORT void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
	__attribute__((alias("mmap")));

EXPORT int munmap(void *address, size_t length)
{
	if (!preload_paging())
		return preload_result(sys_munmap((uint64_t)address, length));
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_munmap(&preload.paged, (uint64_t)address, length);
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT void *mremap(void *address, size_t length, size_t new_length, int flags, ...)
{
	uint64_t new_address = 0;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) {
		va_list arguments;
		va_start(arguments, flags);
		new_address = (uint64_t)va_arg(arguments, void *);
		va_end(arguments);
	}
	long result;
	if (preload_paging()) {
		sys_signals signals;
		preload_enter(&signals);
		result = paged_mremap(&preload.paged, (uint64_t)address, length, new_length, flags,
				      new_address);
		preload_leave(&signals);
	} else {
		result = sys_mremap((uint64_t)address, length, new_length, flags, new_address);
	}
	if (result < 0 && result > -(long)PAGE_BYTES) {
		errno = (int)-result;
		return MAP_FAILED;
	}
	return (void *)result;
}

EXPORT int remap_file_pages(void *address, size_t length, int protection, size_t page, int flags)
{
	if (!preload_paging())
		return preload_result(
			sys_remap_file_pages((uint64_t)address, length, protection, page, flags));
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_remap_pages(&preload.paged, (uint64_t)address, length, protection, page,
				       flags);
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT int mprotect(void *address, size_t length, int protection)
{
	if (!preload_paging())
		return preload_result(sys_mprotect((uint64_t)address, length, protection));
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_mprotect(&preload.paged, (uint64_t)address, length, protection);
	preload_leave(&signals);
	return preload_result(result);
}

/* Is there such a key? Asked of the kernel, for a page of nobody's. */
static int key_check(int protection, int key)
{
	long page = sys_mmap(0, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page < 0)
		return (int)page;
	long result = sys_call(SYS_pkey_mprotect, page, PAGE_BYTES, protection, key, 0, 0);
	sys_munmap((uint64_t)page, PAGE_BYTES);
	return (int)result;
}

/* Keys are the kernel's alone: it gets them with the protection that is there by then. */
EXPORT int pkey_mprotect(void *address, size_t length, int protection, int key)
{
	if (key == -1)
		return mprotect(address, length, protection);
	if (preload_paging()) {
		int error = key_check(protection, key);
		if (error)
			return preload_result(error);
		if (mprotect(address, length, protection) < 0)
			return -1;
	}
	return preload_result(
		sys_call(SYS_pkey_mprotect, (long)address, (long)length, protection, key, 0, 0));
}

static int advise(void *address, size_t length, int advice)
{
	if (!preload_paging())
		return sys_madvise((uint64_t)address, length, advice);
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_madvise(&preload.paged, (uint64_t)address, length, advice);
	preload_leave(&signals);
	return result;
}

EXPORT int madvise(void *address, size_t length, int advice)
{
	return preload_result(advise(address, length, advice));
}

/* Returns the error; and never throws memory away, as the C library's. */
EXPORT int posix_madvise(void *address, size_t length, int advice)
{
	if (advice == POSIX_MADV_DONTNEED)
		return 0;
	return -advise(address, length, advice);
}

EXPORT int msync(void *address, size_t length, int flags)
{
	if (!preload_paging())
		return preload_result(sys_msync((uint64_t)address, length, flags));
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_msync(&preload.paged, (uint64_t)address, length, flags);
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT int mlock2(const void *address, size_t length, unsigned flags)
{
	if (!preload_paging())
		return preload_result(sys_mlock((uint64_t)address, length, flags));
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_mlock(&preload.paged, (uint64_t)address, length, flags);
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT int mlock(const void *address, size_t length)
{
	return mlock2(address, length, 0);
}

EXPORT int munlock(const void *address, size_t length)
{
	if (!preload_paging())
		return preload_result(sys_munlock((uint64_t)address, length));
	sys_signals signals;
	preload_enter(&signals);
	int result = paged_munlock(&preload.paged, (uint64_t)address, length);
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT int mlockall(int flags)
{
	sys_signals signals;
	preload_enter(&signals);
	int result = preload_paging() ? paged_mlockall(&preload.paged, flags) : sys_mlockall(flags);
	if (result == 0)
		preload.locks_new = flags & MCL_FUTURE ? flags : 0;
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT int munlockall(void)
{
	sys_signals signals;
	preload_enter(&signals);
	preload.locks_new = 0;
	int result = preload_paging() ? paged_munlockall(&preload.paged) : sys_munlockall();
	preload_leave(&signals);
	return preload_result(result);
}
