/* SPDX-License-Identifier: MIT */
/* O_DIRECT through io_uring: as many requests in flight as there are slots. */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page.h"

enum { HUGE_BYTES = 2 << 20 };

/* A slot plays a thread: it has one access at a time. */
struct slot {
	unsigned number;
	uint64_t next; /* access */
	uint64_t unit;
	bool writing;
	char *buffer;
};

struct device {
	struct load *load;
	int fd;
	struct io_uring ring;
	struct slot *slots;
	const struct work *work;
	unsigned in_flight;
};

static size_t unit_bytes(const struct device *device)
{
	return (size_t)device->load->unit * PAGE_BYTES;
}

/* In huge pages where a request fills them: the device takes twice as long for what is scattered.
 */
static void *buffer_create(size_t bytes)
{
	size_t align = bytes < HUGE_BYTES ? PAGE_BYTES : HUGE_BYTES;
	size_t room = (bytes + align - 1) & -align;
	void *buffer = aligned_alloc(align, room);

	if (!buffer)
		die("memory");
	if (align == HUGE_BYTES)
		madvise(buffer, room, MADV_HUGEPAGE);
	return memset(buffer, 0, room);
}

struct device *device_create(struct load *load)
{
	struct device *device = calloc(1, sizeof *device);

	if (!device)
		die("memory");
	device->load = load;
	device->slots = calloc(load->depth, sizeof *device->slots);
	device->fd = open(load->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device->fd < 0)
		die(load->path);
	for (unsigned i = 0; i < load->depth; i++) {
		device->slots[i].number = i;
		device->slots[i].buffer = buffer_create(unit_bytes(device));
	}
	errno = -io_uring_queue_init(load->depth, &device->ring,
				     IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	if (errno)
		die("io_uring");
	return device;
}

void device_destroy(struct device *device)
{
	io_uring_queue_exit(&device->ring);
	close(device->fd);
	for (unsigned i = 0; i < device->load->depth; i++)
		free(device->slots[i].buffer);
	free(device->slots);
	free(device);
}

static void request(struct device *device, struct slot *slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&device->ring);
	uint64_t offset = slot->unit * unit_bytes(device);

	if (slot->writing)
		io_uring_prep_write(sqe, device->fd, slot->buffer, unit_bytes(device), offset);
	else
		io_uring_prep_read(sqe, device->fd, slot->buffer, unit_bytes(device), offset);
	io_uring_sqe_set_data(sqe, slot);
	device->in_flight++;
}

static void check(const struct device *device, const struct slot *slot)
{
	uint64_t first = slot->unit * device->load->unit;

	for (unsigned i = 0; i < device->load->unit; i++)
		page_check(slot->buffer + i * PAGE_BYTES, first + i,
			   device->load->versions[first + i]);
}

static void change(const struct device *device, const struct slot *slot)
{
	uint64_t first = slot->unit * device->load->unit;

	for (unsigned i = 0; i < device->load->unit; i++)
		page_write(slot->buffer + i * PAGE_BYTES, first + i,
			   ++device->load->versions[first + i]);
}

static void begin_access(struct device *device, struct slot *slot)
{
	const struct work *work = device->work;

	if (slot->next == work->accesses / work->order.threads || work_is_over(work))
		return;
	slot->unit = order_page(&work->order, slot->number, slot->next++);
	slot->writing = work->operation == OPERATION_WRITE;
	if (slot->writing)
		change(device, slot);
	request(device, slot);
}

static void complete(struct device *device, struct slot *slot)
{
	if (!slot->writing)
		check(device, slot);
	if (slot->writing || device->work->operation == OPERATION_READ) {
		begin_access(device, slot);
		return;
	}
	slot->writing = true;
	change(device, slot);
	request(device, slot);
}

/* Take all that has completed: with a deep ring one system call is for several accesses. */
static void reap(struct device *device)
{
	struct io_uring_cqe *cqe;

	io_uring_submit_and_wait(&device->ring, 1);
	while (!io_uring_peek_cqe(&device->ring, &cqe)) {
		struct slot *slot = io_uring_cqe_get_data(cqe);

		errno = cqe->res < 0 ? -cqe->res : EIO;
		if (cqe->res != (int)unit_bytes(device))
			die("transfer");
		io_uring_cqe_seen(&device->ring, cqe);
		device->in_flight--;
		complete(device, slot);
	}
}

uint64_t device_run(struct device *device, const struct work *work)
{
	uint64_t made = 0;

	device->work = work;
	for (unsigned i = 0; i < work->order.threads; i++) {
		device->slots[i].next = 0;
		begin_access(device, &device->slots[i]);
	}
	while (device->in_flight)
		reap(device);
	for (unsigned i = 0; i < work->order.threads; i++)
		made += device->slots[i].next;
	if (work->sync && fdatasync(device->fd) < 0)
		die("fdatasync");
	return made;
}
