/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <check.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi.h"
#include "uffd.h"
#include "version.h"

static void *held_write(void *context)
{
	const struct held *held = context;
	ck_assert_int_eq(pwrite(held->fd, held->source, 4096, held->end), 4096);
	return NULL;
}

void held_lock(struct held *held, int fd, off_t end)
{
	struct uffd_msg event;
	held->fd = fd;
	held->end = end;
	held->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	ck_assert_int_ge(held->uffd, 0);
	ck_assert_int_eq(uffd_api(held->uffd, 0), 0);
	held->source = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register missing = {
		.range = {(uintptr_t)held->source, 4096},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	ck_assert_int_eq(ioctl(held->uffd, UFFDIO_REGISTER, &missing), 0);
	ck_assert(!pthread_create(&held->thread, NULL, held_write, held));
	ck_assert_int_eq(read(held->uffd, &event, sizeof event), sizeof event);
}

void held_begin(struct held *held, struct harness *h, uint64_t pages)
{
	int fd = file_make(pages, 0);
	held->memory = harness_map(h, PAGERD_FILE_SHARED, pages << 12, fd, 0);
	for (uint64_t page = 0; page < pages; page++)
		page_write(held->memory, page, 1);
	held_lock(held, fd, (off_t)(pages << 12));
}

void held_let_go(struct held *held)
{
	uint64_t done;
	ck_assert_int_eq(uffd_zero(held->uffd, (uintptr_t)held->source, 4096, &done), 0);
	pthread_join(held->thread, NULL);
}
