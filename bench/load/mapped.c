/* SPDX-License-Identifier: MIT */
/* Accesses to mapped memory, by threads. */
#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mechanism.h"
#include "page.h"

enum { THREADS_MOST = 64 };

struct worker {
	pthread_t thread;
	struct load *load;
	const struct work *work;
	unsigned number;
	uint64_t made;
};

static uint64_t part_pages(const struct load *load)
{
	return load->pages / load->parts;
}

static uint64_t part_bytes(const struct load *load)
{
	return part_pages(load) * PAGE_BYTES;
}

void mapped_init(struct load *load)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	int fd = -1;

	if (load->path) {
		flags = MAP_SHARED;
		fd = open(load->path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			die(load->path);
	}
	for (unsigned i = 0; i < load->parts; i++) {
		load->memory[i] = mmap(NULL, part_bytes(load), PROT_READ | PROT_WRITE, flags, fd,
				       (off_t)(i * part_bytes(load)));
		if (load->memory[i] == MAP_FAILED)
			die("mmap");
	}
	if (fd >= 0)
		close(fd);
	if (load->mechanism)
		mechanism_start(load->memory[0], load->pages * PAGE_BYTES);
}

void mapped_advise(struct load *load, int advice)
{
	for (unsigned i = 0; i < load->parts; i++)
		if (madvise(load->memory[i], part_bytes(load), advice) < 0)
			die("madvise");
}

static void mapped_sync(struct load *load)
{
	for (unsigned i = 0; i < load->parts; i++)
		if (msync(load->memory[i], part_bytes(load), MS_SYNC) < 0)
			die("msync");
}

void mapped_finish(struct load *load)
{
	for (unsigned i = 0; i < load->parts; i++)
		munmap(load->memory[i], part_bytes(load));
}

static void *page_address(const struct load *load, uint64_t number)
{
	uint64_t pages = part_pages(load);

	return (char *)load->memory[number / pages] + number % pages * PAGE_BYTES;
}

static void access_page(struct load *load, enum operation operation, uint64_t number)
{
	void *page = page_address(load, number);

	if (operation != OPERATION_WRITE)
		page_check(page, number, load->versions[number]);
	if (operation != OPERATION_READ)
		page_write(page, number, ++load->versions[number]);
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	const struct work *work = worker->work;
	uint64_t accesses = work->accesses / work->order.threads;
	uint64_t i;

	for (i = 0; i < accesses && !work_is_over(work); i++)
		access_page(worker->load, work->operation,
			    order_page(&work->order, worker->number, i));
	worker->made = i;
	return NULL;
}

static void worker_start(struct worker *worker)
{
	errno = pthread_create(&worker->thread, NULL, worker_run, worker);
	if (errno)
		die("pthread_create");
}

/* The first worker is the calling thread: one thread is no other than the program's. */
uint64_t mapped_run(struct load *load, const struct work *work)
{
	struct worker workers[THREADS_MOST];
	unsigned threads = work->order.threads;
	uint64_t made;

	for (unsigned i = 0; i < threads; i++)
		workers[i] = (struct worker){.load = load, .work = work, .number = i};
	for (unsigned i = 1; i < threads; i++)
		worker_start(&workers[i]);
	worker_run(&workers[0]);
	made = workers[0].made;
	for (unsigned i = 1; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		made += workers[i].made;
	}
	if (work->sync)
		mapped_sync(load);
	return made;
}
