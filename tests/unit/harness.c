/* SPDX-License-Identifier: MIT */
/* A pager in this process, with this process as its client. */
#include "harness.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi.h"

uint64_t harness_chaos;

static void *run(void *pager)
{
	ck_assert_int_eq(pager_run(pager), 0);
	return NULL;
}

static void done(struct pager_request *request)
{
	sem_post(request->owner);
}

int harness_request(struct harness *h, struct pager_request *request)
{
	sem_t ended;
	sem_init(&ended, 0, 0);
	request->done = done;
	request->owner = &ended;
	pager_post(h->pager, request);
	while (sem_wait(&ended))
		;
	sem_destroy(&ended);
	return request->error;
}

static int open_uffd(void)
{
	int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	int fd = device < 0 ? -1 : ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	if (device >= 0)
		close(device);
	return fd >= 0 ? fd : (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

struct pager_config harness_configure(uint64_t budget_pages, const char *policy,
				      uint32_t prefetch_pages)
{
	return (struct pager_config){
		.budget_bytes = budget_pages << PAGE_SHIFT,
		.policy = policy,
		.swap_dir_fd = -1,
		.prefetch_max_pages = prefetch_pages,
		.writeback_age_ms = 1000,
		.latency_fd = -1,
		.chaos = harness_chaos != 0,
		.chaos_seed = harness_chaos,
	};
}

void harness_begin(struct harness *h, struct pager_config config, const char *swap_directory)
{
	char why[200] = "";
	if (swap_directory)
		config.swap_dir_fd = open(swap_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = pager_create(&h->pager, &config, why, sizeof why);
	if (config.swap_dir_fd >= 0)
		close(config.swap_dir_fd);
	ck_assert_msg(!error, "pager_create: %s (%s)", strerror(-error), why);
	pthread_t thread;
	h->filter = calloc(1, sizeof *h->filter);
	ck_assert_ptr_nonnull(h->filter);
	pager_show_files(h->pager, h->filter);
	ck_assert(!pthread_create(&thread, NULL, run, h->pager));
	h->thread = thread;
	h->uffd = open_uffd();
	ck_assert_msg(h->uffd >= 0, "no userfaultfd");
	struct pager_request add = {
		.type = PAGER_CLIENT_ADD,
		.fd = fcntl(h->uffd, F_DUPFD_CLOEXEC, 0),
		.pid = (uint32_t)getpid(),
		.name = "test",
	};
	ck_assert_int_eq(harness_request(h, &add), 0);
	h->client = add.client;
}

void harness_start(struct harness *h, uint64_t budget_pages, const char *policy,
		   const char *swap_directory, uint32_t prefetch_pages)
{
	harness_begin(h, harness_configure(budget_pages, policy, prefetch_pages), swap_directory);
}

void harness_check(struct harness *h)
{
	struct pager_request check = {.type = PAGER_CHECK, .fd = -1};
	ck_assert_int_eq(harness_request(h, &check), 0);
}

void harness_stop(struct harness *h)
{
	harness_check(h);
	harness_range(h, PAGER_UNMAP, NULL, 1ull << 47, 0);
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = h->client, .fd = -1};
	ck_assert_int_eq(harness_request(h, &remove), 0);
	harness_check(h);
	struct pager_request stop = {.type = PAGER_STOP, .fd = -1};
	ck_assert_int_eq(harness_request(h, &stop), 0);
	pthread_join(h->thread, NULL);
	pager_destroy(h->pager);
	ck_assert_uint_eq((uint32_t)h->filter->files, 0);
	free(h->filter);
	close(h->uffd);
}

int harness_register(struct harness *h, void *address, uint64_t length, uint64_t object,
		     uint64_t offset)
{
	struct pager_request request = {
		.type = PAGER_REGISTER,
		.client = h->client,
		.address = (uintptr_t)address,
		.length = length,
		.object = object,
		.offset = offset,
		.fd = -1,
	};
	return harness_request(h, &request);
}

int harness_descriptor(pid_t process, int number)
{
	int pidfd = pidfd_open(process, 0), fd = pidfd_getfd(pidfd, number, 0);
	ck_assert_int_ge(fd, 0);
	close(pidfd);
	return fd;
}

void *harness_map(struct harness *h, enum pagerd_kind kind, uint64_t length, int fd,
		  uint64_t offset)
{
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = h->client,
		.kind = kind,
		.writable = fd < 0 || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR,
		.length = length,
		.offset = offset,
		.fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_request(h, &map), 0);
	bool private = map.read_only || kind == PAGERD_FILE_PRIVATE;
	void *address = mmap(NULL, length, PROT_READ | (map.read_only ? 0 : PROT_WRITE),
			     private ? MAP_PRIVATE : MAP_SHARED, map.fd, (off_t)map.offset);
	ck_assert_ptr_ne(address, MAP_FAILED);
	close(map.fd);
	ck_assert_int_eq(harness_register(h, address, length, map.object, map.offset), 0);
	return address;
}

int harness_range(struct harness *h, enum pager_request_type type, void *address, uint64_t length,
		  uint32_t flags)
{
	struct pager_request request = {
		.type = type,
		.client = h->client,
		.address = (uintptr_t)address,
		.length = length,
		.flags = flags,
		.fd = -1,
	};
	return harness_request(h, &request);
}

void harness_unmap(struct harness *h, void *address, uint64_t length)
{
	ck_assert_int_eq(harness_range(h, PAGER_UNMAP, address, length, 0), 0);
	munmap(address, length);
}

int harness_agent(struct harness *h, int *window)
{
	int ends[2];
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	struct pager_request open = {.type = PAGER_AGENT, .client = h->client, .fd = ends[0]};
	ck_assert_int_eq(harness_request(h, &open), 0);
	*window = open.fd;
	return ends[1];
}

void harness_limit(struct harness *h, const void *address, uint64_t pages)
{
	struct pager_request set = {
		.type = PAGER_SET_OBJECT,
		.client = h->client,
		.address = (uintptr_t)address,
		.length = pages << PAGE_SHIFT,
		.fd = -1,
	};
	ck_assert_int_eq(harness_request(h, &set), 0);
}

struct pagerd_stats harness_stats(struct harness *h)
{
	struct pager_request request = {.type = PAGER_STATS, .client = h->client, .fd = -1};
	ck_assert_int_eq(harness_request(h, &request), 0);
	return request.stats;
}
