/* SPDX-License-Identifier: MIT */
/* The pager's life, and the loop of its thread. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core.h"
#include "warmup.h"

#define BATCH	       64u
#define DEMANDS_PLENTY 6u /* reads for faults, with which a disk is busy */

uint64_t clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void pager_tell(struct pager *pager, const char *text)
{
	if (!pager->config.warn || pager->now_ns - pager->warned_ns < 1000000000)
		return;
	pager->warned_ns = pager->now_ns;
	pager->config.warn(text);
}

void pager_warn(struct pager *pager, const char *what, const struct object *object, int error)
{
	char text[160];
	if (object)
		snprintf(text, sizeof text, "%s error on the file with inode %lu of device %lx: %s",
			 what, (unsigned long)object->inode, (unsigned long)object->device,
			 strerror(-error));
	else
		snprintf(text, sizeof text, "%s error on swap: %s", what, strerror(-error));
	pager_tell(pager, text);
}

/* ---- life -------------------------------------------------------------------------------- */

static int ring_init(struct pager *pager, char *why, size_t why_bytes)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
		.cq_entries = RING_ENTRIES * 8,
	};
	int error = io_uring_queue_init_params(RING_ENTRIES, &pager->ring, &params);
	if (error == -EINVAL) {
		params = (struct io_uring_params){.flags = IORING_SETUP_R_DISABLED |
							   IORING_SETUP_CQSIZE,
						  .cq_entries = RING_ENTRIES * 8};
		error = io_uring_queue_init_params(RING_ENTRIES, &pager->ring, &params);
	}
	if (error) {
		snprintf(why, why_bytes, "io_uring: %s", strerror(-error));
		return error;
	}
	pager->ring_ready = true;
	/* Transfers that wait for a file's lock each hold a thread of the kernel: others go on. */
	unsigned workers[2] = {IO_COUNT, 0};
	io_uring_register_iowq_max_workers(&pager->ring, workers);
	if (io_uring_register_buffers_sparse(&pager->ring, BOUNCE_PAGES / BOUNCE_BLOCK))
		pager->buffers_tried = UINT32_MAX;
	return 0;
}

static int zeros_init(struct pager *pager)
{
	void *zeros =
		mmap(NULL, ZERO_PAGES << PAGE_SHIFT, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pager->zeros = zeros == MAP_FAILED ? NULL : zeros;
	pager->drop_queue = calloc(DROP_PAGES, sizeof *pager->drop_queue);
	return pager->zeros && pager->drop_queue ? 0 : -ENOMEM;
}

static int pager_init(struct pager *pager, char *why, size_t why_bytes)
{
	chaos_init(pager);
	pools_init(pager);
	users_init(&pager->users, pager->config.user_descriptors);
	int error = frame_table_init(pager);
	if (!error && pager->config.bank)
		share_open(pager, 0, pager->config.bank);
	if (!error)
		error = guess_init(pager);
	if (!error)
		error = object_table_init(pager);
	if (!error)
		error = client_table_init(pager);
	if (!error)
		error = fault_table_init(pager);
	if (!error)
		error = io_table_init(pager);
	if (!error)
		error = zeros_init(pager);
	if (error)
		snprintf(why, why_bytes, "not enough memory");
	if (!error)
		error = ring_init(pager, why, why_bytes);
	if (!error)
		error = pool_set_policy(pager, 0, pager->config.policy, why, why_bytes);
	if (!error)
		error = swap_open(pager, why, why_bytes);
	if (!error)
		error = record_init(pager);
	return error;
}

int pager_create(struct pager **out, const struct pager_config *config, char *why, size_t why_bytes)
{
	uint64_t least = PAGER_BUDGET_MIN_BYTES * (config->bank ? config->shards : 1);
	if (config->budget_bytes < least) {
		snprintf(why, why_bytes, "the memory budget is too small: at least %lu KiB",
			 least >> 10);
		return -EINVAL;
	}
	struct pager *pager = calloc(1, sizeof *pager);
	if (!pager) {
		snprintf(why, why_bytes, "not enough memory");
		return -ENOMEM;
	}
	pager->config = *config;
	pager->config.shards = config->shards ? config->shards : 1;
	access_init(pager, config->access_looks);
	pager->budget_pages = (uint32_t)(config->budget_bytes >> PAGE_SHIFT);
	pager->start_ns = pager->now_ns = clock_ns();
	pager->swap.fd = -1;
	pthread_mutex_init(&pager->mailbox_lock, NULL);
	pager->mailbox_tail = &pager->mailbox;
	pager->mailbox_fd = pager->shares.bell.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int error = pager->mailbox_fd < 0 ? -errno : pager_init(pager, why, why_bytes);
	if (error) {
		if (!why[0])
			snprintf(why, why_bytes, "%s", strerror(-error));
		pager_destroy(pager);
		return error;
	}
	*out = pager;
	return 0;
}

void pager_show_files(struct pager *pager, struct pagerd_filter *filter)
{
	pager->filter = filter;
}

void pager_destroy(struct pager *pager)
{
	if (!pager)
		return;
	record_finish(pager);
	if (pager->ring_ready)
		io_uring_queue_exit(&pager->ring);
	client_table_finish(pager);
	object_table_finish(pager);
	pools_finish(pager);
	learns_finish(pager);
	guess_finish(pager);
	frame_table_finish(pager);
	fault_table_finish(pager);
	io_table_finish(pager);
	swap_close(pager);
	if (pager->zeros)
		munmap(pager->zeros, ZERO_PAGES << PAGE_SHIFT);
	while (pager->syncs) {
		struct sync *next = pager->syncs->next;
		free(pager->syncs);
		pager->syncs = next;
	}
	free(pager->drop_queue);
	if (pager->mailbox_fd >= 0)
		close(pager->mailbox_fd);
	pthread_mutex_destroy(&pager->mailbox_lock);
	free(pager);
}

/* ---- mailbox ----------------------------------------------------------------------------- */

void pager_post(struct pager *pager, struct pager_request *request)
{
	request->next = NULL;
	pthread_mutex_lock(&pager->mailbox_lock);
	*pager->mailbox_tail = request;
	pager->mailbox_tail = &request->next;
	pthread_mutex_unlock(&pager->mailbox_lock);
	if (!wake(pager->mailbox_fd))
		abort();
}

void pager_begin(struct pager *pager, struct pager_request *request)
{
	request_start(pager, request);
}

static void mailbox_serve(struct pager *pager)
{
	uint64_t count;
	if (read(pager->mailbox_fd, &count, sizeof count) < 0 && errno != EAGAIN)
		abort();
	pthread_mutex_lock(&pager->mailbox_lock);
	struct pager_request *request = pager->mailbox;
	pager->mailbox = NULL;
	pager->mailbox_tail = &pager->mailbox;
	pthread_mutex_unlock(&pager->mailbox_lock);
	while (request) {
		struct pager_request *next = request->next;
		request_start(pager, request);
		request = next;
	}
}

static void mailbox_poll(struct pager *pager)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_poll_multishot(sqe, pager->mailbox_fd, POLLIN);
	io_uring_sqe_set_data64(sqe, ring_data(RING_MAILBOX, 0));
}

/* ---- ring -------------------------------------------------------------------------------- */

struct io_uring_sqe *ring_sqe(struct pager *pager)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&pager->ring);
	while (!sqe) {
		if (io_uring_submit(&pager->ring) < 0)
			abort(); /* the ring is broken: nothing can be served any more */
		sqe = io_uring_get_sqe(&pager->ring);
	}
	return sqe;
}

static void complete_uffd(struct pager *pager, uint64_t data, const struct io_uring_cqe *cqe)
{
	struct client *client = client_lookup_same(pager, (uint32_t)(data & 0xffffff),
						   (uint32_t)(data >> 24 & 0xffffffff));
	if (!client)
		return;
	client->ready = true;
	pager->clients_ready = true;
	if (!(cqe->flags & IORING_CQE_F_MORE)) {
		client->polled = false;
		if (cqe->res >= 0)
			client_poll(pager, client);
	}
}

static void complete(struct pager *pager, const struct io_uring_cqe *cqe, bool *mail)
{
	uint64_t data = cqe->user_data & ((1ull << 56) - 1);
	switch (cqe->user_data >> 56) {
	case RING_IO:
		if (!chaos_holds_io(pager, (uint32_t)data, cqe->res))
			io_complete(pager, (uint32_t)data, cqe->res);
		break;
	case RING_UFFD:
		complete_uffd(pager, data, cqe);
		break;
	case RING_AGENT:
		/* Not of a poll that was taken away: there may be another agent by now. */
		if (cqe->res != -ECANCELED)
			agent_answers(pager, data, cqe->flags & IORING_CQE_F_MORE);
		break;
	case RING_WORKER:
		worker_reap(pager);
		if (!(cqe->flags & IORING_CQE_F_MORE))
			worker_poll(pager);
		break;
	case RING_LISTEN:
		listen_heard(pager, data);
		break;
	case RING_MAILBOX:
		*mail = true;
		if (!(cqe->flags & IORING_CQE_F_MORE))
			mailbox_poll(pager);
		break;
	}
}

/* Completions that are there; whether there were any. Where a thread was let go on and the kernel
 * has news, which may be that thread's next fault, the others wait: its read goes to the device
 * first. Else the device has nothing to do while many are answered, and then much at once. Where it
 * has enough to do, the next reads are submitted together: a submission is an exit to the
 * hypervisor, or a register of a device. */
static bool reap(struct pager *pager, bool *mail)
{
	struct io_uring_cqe *cqe;
	unsigned count = 0;
	pager->answered = 0;
	while (count < BATCH && io_uring_peek_batch_cqe(&pager->ring, &cqe, 1)) {
		struct io_uring_cqe copy = *cqe; /* handlers may submit, and so reap */
		io_uring_cq_advance(&pager->ring, 1);
		complete(pager, &copy, mail);
		count++;
		if (pager->answered && pager->io_demands < DEMANDS_PLENTY && ring_tasks(pager))
			break;
	}
	struct client *client = client_lookup(pager, pager->answered);
	if (client && io_uring_cq_ready(&pager->ring))
		client->ready = pager->clients_ready = true;
	return count;
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void clients_read(struct pager *pager)
{
	pager->clients_ready = false;
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (client && client->ready)
			fault_read(pager, client);
		if (client && client->ready)
			pager->clients_ready = true;
	}
}

/* Old dirty pages, files that nobody maps but whose write-back failed, what policies noted. */
static void tick(struct pager *pager)
{
	sync_old(pager);
	client_reap(pager);
	poison_retry(pager, NULL, NULL);
	agent_tick(pager);
	cache_tick(pager);
	boards_tick(pager);
	pools_tell(pager);
	shares_tick(pager);
	if (!shortage_may_write(pager))
		return;
	for (uint32_t i = 1; pager->closing_objects && i < pager->object_room; i++) {
		struct object *object = pager->objects[i];
		if (object && object->closing && object->dirty_pages)
			sync_whole(pager, object);
	}
}

/* One turn over everything that can be done without waiting; whether there is more. */
static bool turn(struct pager *pager)
{
	bool mail = false, more = reap(pager, &mail);
	pager->now_ns = clock_ns();
	pageout_drop_queued(pager);
	if (pager->clients_ready)
		clients_read(pager);
	bool held_back = chaos_turn(pager);
	record_run(pager);
	shortage_serve(pager);
	if (mail)
		mailbox_serve(pager);
	listen_serve(pager);
	if (pager->syncs)
		sync_run(pager);
	latency_update(pager);
	if (pager->warmups)
		warmup_run(pager);
	/* Reads of this turn go to the device before time is spent on reclaim. */
	if (io_uring_sq_ready(&pager->ring))
		io_uring_submit(&pager->ring);
	shares_turn(pager);
	swap_give(pager);
	if (pageout_run(pager))
		more = true;
	if (pager->access.looks)
		access_run(pager);
	if (shortage_check(pager))
		more = true;
	if (pager->agents_idle) {
		agent_run(pager);
		more = true; /* what ended at once may be waited for */
	}
	if (lapses_look(pager))
		more = true;
	boards_release(pager);
	/* The end of one sync may be the begin of another, which nothing else would start. */
	return more || held_back || pager->clients_ready || pager->shortage.frames_freed ||
	       pager->sync_begun;
}

static uint64_t wait_ns(const struct pager *pager)
{
	if (latency_window_ns(pager))
		return latency_window_ns(pager);
	if (lapses_wait_ns(pager))
		return lapses_wait_ns(pager);
	if (pager->dirty_head != FRAME_NONE || pager->closing_objects || pager->cache.count ||
	    pager->warmups || pager->shortage.waiting.count || pager->stopping || pager->leaving ||
	    pager->poison.used || pager->truncations || pager->frozen.count ||
	    pager->record.waiting.count || pager->noted || pager->shares.restless)
		return TICK_NS;
	return 0;
}

static int wait(struct pager *pager)
{
	if (latency_poll(pager))
		return 0;
	uint64_t ns = wait_ns(pager);
	struct __kernel_timespec ts = {.tv_sec = (int64_t)(ns / 1000000000),
				       .tv_nsec = (long long)(ns % 1000000000)};
	struct io_uring_cqe *cqe;
	int result = io_uring_submit_and_wait_timeout(&pager->ring, &cqe, 1, ns ? &ts : NULL, NULL);
	return result < 0 && result != -ETIME && result != -EINTR && result != -EAGAIN &&
			       result != -EBUSY
		       ? result
		       : 0;
}

static void tick_if_due(struct pager *pager, uint64_t *last)
{
	if (pager->now_ns - *last < TICK_NS)
		return;
	*last = pager->now_ns;
	tick(pager);
}

/* At least half of the time is for work, however long the tables and busy the machine. */
static void check_if_due(struct pager *pager, uint64_t *due_ns)
{
	if (!pager->config.check || pager->now_ns < *due_ns)
		return;
	uint64_t begin_ns = clock_ns();
	if (invariant_check(pager))
		abort();
	uint64_t end_ns = clock_ns();
	*due_ns = end_ns + (end_ns - begin_ns) + TICK_NS;
}

/* liburing 2.3 has io_uring_enable_rings in its static library only. The ring then belongs to the
 * thread that calls this. */
static int ring_enable(struct pager *pager)
{
	long result = syscall(SYS_io_uring_register, pager->ring.ring_fd,
			      IORING_REGISTER_ENABLE_RINGS, NULL, 0);
	return result < 0 ? -errno : 0;
}

/* Submit, and have the kernel's work done, if there is either. */
static void ring_flush(struct pager *pager)
{
	if (io_uring_sq_ready(&pager->ring) || ring_tasks(pager))
		io_uring_submit_and_get_events(&pager->ring);
}

int pager_run(struct pager *pager)
{
	uint64_t last_tick = 0, check_due_ns = 0;
	int error = ring_enable(pager);
	mailbox_poll(pager);
	worker_start(pager);
	latency_start(pager);
	chaos_thread(pager, true);
	while (!error) {
		bool more = turn(pager);
		tick_if_due(pager, &last_tick);
		check_if_due(pager, &check_due_ns);
		if (pager->stopping && stop_step(pager))
			break;
		if (more)
			ring_flush(pager);
		else
			error = wait(pager);
	}
	pageout_drop_queued(pager);
	worker_stop(pager);
	stop_end(pager);
	latency_stop(pager);
	chaos_thread(pager, false);
	if (pager->stop.request)
		request_done(pager->stop.request, error);
	return error;
}
