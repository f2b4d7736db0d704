/* SPDX-License-Identifier: MIT */
/* userfaultfd system calls, one function each. */
#include "uffd.h"

#include <errno.h>

#include "chaos.h"

#define PROTECT_TRIES 1000

static int uffd_ioctl(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

/* What the kernel refuses with -EAGAIN while it is changing the address space. */
static int uffd_change(int fd, unsigned long request, void *argument)
{
	return chaos_fails_uffd() ? -EAGAIN : uffd_ioctl(fd, request, argument);
}

int uffd_api(int fd, uint64_t features)
{
	struct uffdio_api api = {.api = UFFD_API, .features = features};
	return uffd_ioctl(fd, UFFDIO_API, &api);
}

int uffd_features(int fd, uint64_t *features)
{
	struct uffdio_api api = {.api = UFFD_API};
	int error = uffd_ioctl(fd, UFFDIO_API, &api);
	if (!error)
		*features = api.features;
	return error;
}

/* With write protection also where nothing is ever protected: else the kernel maps neighbours of
 * what is touched, and "mapped" does not mean "used" (see access.h). */
int uffd_register(int fd, uint64_t address, uint64_t length, bool guard)
{
	struct uffdio_register reg = {
		.range = {address, length},
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP |
			(guard ? UFFDIO_REGISTER_MODE_MINOR : 0),
	};
	return uffd_ioctl(fd, UFFDIO_REGISTER, &reg);
}

int uffd_unregister(int fd, uint64_t address, uint64_t length)
{
	struct uffdio_range range = {address, length};
	return uffd_ioctl(fd, UFFDIO_UNREGISTER, &range);
}

int uffd_protect(int fd, uint64_t address, uint64_t length, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = {address, length},
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};
	int error;
	/* It did nothing or a part, and it can be done again; that ends when the change has. */
	for (int tries = 0; (error = uffd_change(fd, UFFDIO_WRITEPROTECT, &wp)) == -EAGAIN; tries++)
		if (tries == PROTECT_TRIES)
			break;
	return error;
}

/* The kernel stores a negative errno in the count when it did nothing. */
static uint64_t bytes_done(int64_t count)
{
	return count > 0 ? (uint64_t)count : 0;
}

int uffd_copy(int fd, uint64_t address, const void *source, uint64_t length, bool protect,
	      uint64_t *done)
{
	struct uffdio_copy copy = {
		.dst = address,
		.src = (uintptr_t)source,
		.len = chaos_length(length),
		.mode = protect ? UFFDIO_COPY_MODE_WP : 0,
	};
	int error = uffd_change(fd, UFFDIO_COPY, &copy);
	*done = error ? bytes_done(copy.copy) : copy.len;
	return error || *done == length ? error : -EAGAIN;
}

int uffd_zero(int fd, uint64_t address, uint64_t length, uint64_t *done)
{
	struct uffdio_zeropage zero = {.range = {address, chaos_length(length)}};
	int error = uffd_change(fd, UFFDIO_ZEROPAGE, &zero);
	*done = error ? bytes_done(zero.zeropage) : zero.range.len;
	return error || *done == length ? error : -EAGAIN;
}

int uffd_continue(int fd, uint64_t address, uint64_t length, bool protect, uint64_t *done)
{
	struct uffdio_continue cont = {
		.range = {address, length},
		.mode = protect ? UFFDIO_CONTINUE_MODE_WP : 0,
	};
	int error = uffd_change(fd, UFFDIO_CONTINUE, &cont);
	*done = error ? bytes_done(cont.mapped) : length;
	return error;
}

int uffd_wake(int fd, uint64_t address, uint64_t length)
{
	struct uffdio_range range = {address, length};
	return uffd_ioctl(fd, UFFDIO_WAKE, &range);
}

int uffd_poison(int fd, uint64_t address, uint64_t length, uint64_t *done)
{
	struct uffdio_poison poison = {.range = {address, length}};
	int error = uffd_change(fd, UFFDIO_POISON, &poison);
	*done = error ? bytes_done(poison.updated) : length;
	return error;
}

/* Poison goes into empty entries only: a protection marker there is taken away first. */
int uffd_poison_page(int fd, uint64_t address)
{
	uint64_t done;
	struct uffdio_writeprotect lift = {
		.range = {address, 4096},
		.mode = UFFDIO_WRITEPROTECT_MODE_DONTWAKE,
	};
	uffd_ioctl(fd, UFFDIO_WRITEPROTECT, &lift);
	return uffd_poison(fd, address, 4096, &done);
}

bool uffd_alive(int fd, uint64_t address)
{
	return uffd_protect(fd, address, 4096, true) != -ESRCH;
}
