/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"

#define AGENT_QUEUE   16u		 /* fewer for who was late just now */
#define AGENT_RECORDS (IO_COUNT / 4)	 /* of all agents, one of each that is late apart */
#define RECORDS_MOST  (3 * IO_COUNT / 8) /* with those: the others are for reads, and for writes */
#define AGENT_LATE_NS 1000000000ull
#define WINDOW_BYTES  ((size_t)PAGERD_WINDOW_PAGES << PAGE_SHIFT)

void agent_init(struct agent *agent)
{
	*agent = (struct agent){.socket = -1, .head = IO_NONE, .tail = IO_NONE};
}

void agent_finish(struct agent *agent)
{
	if (agent->window)
		munmap(agent->window, WINDOW_BYTES);
	if (agent->socket >= 0)
		close(agent->socket);
	agent_init(agent);
}

/* ---- the socket -------------------------------------------------------------------------- */

static uint64_t agent_data(const struct client *client)
{
	return ring_data(RING_AGENT, (uint64_t)client->generation << 24 | client->number);
}

static void agent_poll(struct pager *pager, struct client *client)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_poll_multishot(sqe, client->agent.socket, POLLIN);
	io_uring_sqe_set_data64(sqe, agent_data(client));
}

static int window_make(struct agent *agent, int *window)
{
	int fd = memfd_create("pagerd-window", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)WINDOW_BYTES) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		error = -errno;
	void *at = error ? MAP_FAILED : mmap(NULL, WINDOW_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		error = error ? error : -errno;
		close(fd);
		return error;
	}
	agent->window = at;
	*window = fd;
	return 0;
}

int agent_open(struct pager *pager, struct client *client, int socket, int *window)
{
	*window = -1;
	/* One that has gone may have said so already, and not have been heard. */
	if (client->agent.socket >= 0)
		agent_answers(pager, agent_data(client), true);
	if (client->agent.socket < 0)
		agent_finish(&client->agent);
	int error = client->agent.socket >= 0 ? -EALREADY : window_make(&client->agent, window);
	if (error) {
		close(socket);
		return error;
	}
	client->agent.socket = socket;
	agent_poll(pager, client);
	return 0;
}

/* ---- commands ---------------------------------------------------------------------------- */

static struct region *region_of(const struct object *object, uint64_t page)
{
	uint64_t first, pages;
	for (struct region *region = object->regions; region; region = region->object_next)
		if (region->registered && region_overlap(region, page, 1, &first, &pages))
			return region;
	return NULL;
}

/* One more page, at the end of the last range or in one of its own. */
static void command_add(struct pagerd_command *command, uint64_t address)
{
	struct pagerd_command_range *last = &command->ranges[command->count - 1];
	if (command->count && last->address + last->length_bytes == address)
		last->length_bytes += PAGE_BYTES;
	else
		command->ranges[command->count++] =
			(struct pagerd_command_range){address, PAGE_BYTES};
}

/* The ranges of the record's pages, up to one that is not mapped any more. Returns how many pages.
 */
static uint32_t command_fill(struct pager *pager, const struct io *io,
			     struct pagerd_command *command)
{
	uint32_t total = io->kind == IO_ZAP ? io->span : io->count, i;
	if (io->kind == IO_UNMAP) {
		const struct zap_entry *entries = zap_entries(pager, io, &total);
		for (i = 0; i < total; i++)
			command_add(command, entries[i].address);
		return total;
	}
	if (io_truncates(io)) {
		command->ranges[command->count++] =
			(struct pagerd_command_range){io->address, io->place};
		return 1;
	}
	for (i = 0; i < total; i++) {
		struct frame *frame = frame_get(pager, io->frames[i]);
		const struct object *object = object_lookup(pager, frame_object(frame));
		const struct region *region =
			frame->flags & FRAME_ORPHAN ? NULL : region_of(object, frame_page(frame));
		if (!region)
			break;
		command_add(command, region_address(region, frame_page(frame)));
	}
	return i;
}

void agent_push(struct pager *pager, struct agent *agent, uint32_t record)
{
	pager->ios[record].agent_next = IO_NONE;
	if (agent->head == IO_NONE)
		agent->head = record;
	else
		pager->ios[agent->tail].agent_next = record;
	agent->tail = record;
	agent->queued++;
	pager->agent_records++;
}

void agent_record_done(struct pager *pager, struct agent *agent, uint32_t number, uint32_t pages,
		       bool known)
{
	struct io *io = &pager->ios[number];
	if (io->kind == IO_UNMAP)
		zap_answered(pager, io, pages == io->span);
	else if (io->kind == IO_ZAP)
		private_zapped(pager, number, pages, known);
	else
		io_saved(pager, number, agent->window, pages);
}

/* The same of the head of the queue. */
static void record_end(struct pager *pager, struct agent *agent, uint32_t pages, bool known)
{
	uint32_t number = agent->head;
	agent->head = pager->ios[number].agent_next;
	if (agent->head == IO_NONE)
		agent->tail = IO_NONE;
	agent->queued--;
	pager->agent_records--;
	agent->sent = false;
	agent_record_done(pager, agent, number, pages, known);
}

/* Whether it is on its way. */
static bool command_send(struct pager *pager, struct agent *agent)
{
	const struct io *io = &pager->ios[agent->head];
	struct pagerd_command command = {
		.type = io->kind == IO_WRITE ? PAGERD_SAVE : PAGERD_ZAP,
		.sequence = ++agent->sequence,
	};
	agent->sent_pages = command_fill(pager, io, &command);
	size_t bytes = offsetof(struct pagerd_command, ranges[command.count]);
	if (!agent->sent_pages)
		return false;
	agent->sent_ns = pager->now_ns;
	agent->sent =
		send(agent->socket, &command, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)bytes;
	return agent->sent;
}

/* Start what heads the queue; what cannot be done fails. */
static void agent_next(struct pager *pager, struct agent *agent)
{
	while (agent->head != IO_NONE && !command_send(pager, agent))
		record_end(pager, agent, 0, true);
}

bool agent_late(const struct pager *pager, const struct client *client)
{
	return client->agent.sent && clock_ns() - client->agent.sent_ns >= AGENT_LATE_NS;
}

bool agent_gone(struct pager *pager, uint32_t number)
{
	const struct client *client = client_lookup(pager, number);
	return !client || client->agent.socket < 0;
}

bool agent_ready(struct pager *pager, uint32_t number)
{
	const struct client *client = client_lookup(pager, number);
	if (!client || client->agent.socket < 0 || client->agent.waiting ||
	    client->agent.lapse.since_ns)
		return false;
	return client->agent.queued < AGENT_QUEUE >> client->agent.lapse.before &&
	       pager->agent_records - pager->lapses < AGENT_RECORDS &&
	       pager->agent_records < RECORDS_MOST;
}

bool agent_obeys(struct pager *pager, uint32_t number)
{
	const struct client *client = client_lookup(pager, number);
	return client && client->agent.socket >= 0 && client->agent.queued < 2 * AGENT_QUEUE &&
	       pager->agent_records < 2 * AGENT_RECORDS;
}

bool agent_wait(struct client *client, struct pager_request *request)
{
	if (!client->agent.queued)
		return false;
	request->next = client->agent.waiting;
	client->agent.waiting = request;
	return true;
}

static void agent_served(struct pager *pager, struct agent *agent)
{
	struct pager_request *request = agent->queued ? NULL : agent->waiting;
	if (request)
		agent->waiting = NULL;
	while (request) {
		struct pager_request *next = request->next;
		request_start(pager, request);
		request = next;
	}
}

void agent_submit(struct pager *pager, uint32_t number, uint32_t record)
{
	struct agent *agent = &client_lookup(pager, number)->agent;
	agent_push(pager, agent, record);
	pager->agents_idle |= !agent->sent;
}

/* Not at once: a record that cannot be sent ends, and may be the last that keeps an object whose
 * pages somebody is just going through. */
void agent_run(struct pager *pager)
{
	pager->agents_idle = false;
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (!client || !client->agent.queued || client->agent.sent)
			continue;
		agent_next(pager, &client->agent);
		agent_served(pager, &client->agent);
	}
}

/* ---- answers ----------------------------------------------------------------------------- */

/* A poll that stays in the ring would keep the socket, and its end from being seen. */
static void agent_unpoll(struct pager *pager, const struct client *client)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_poll_remove(sqe, agent_data(client));
	io_uring_sqe_set_data64(sqe, ring_data(RING_IGNORE, 0));
	io_uring_submit(&pager->ring);
}

/* Nobody answers any more. What was zapped is not known. */
static void agent_lost(struct pager *pager, struct client *client)
{
	struct agent *agent = &client->agent;
	bool first = agent->sent;
	agent_unpoll(pager, client);
	close(agent->socket);
	agent->socket = -1;
	while (agent->head != IO_NONE) {
		record_end(pager, agent, 0, !first);
		first = false;
	}
	lapse_end(pager, client);
	agent_served(pager, agent);
}

static void agent_answer(struct pager *pager, struct client *client,
			 const struct pagerd_answer *answer)
{
	struct agent *agent = &client->agent;
	if (!agent->sent || answer->sequence != agent->sequence)
		return;
	uint64_t pages = answer->pages < agent->sent_pages ? answer->pages : agent->sent_pages;
	record_end(pager, agent, (uint32_t)pages, true);
	lapse_end(pager, client);
	agent_next(pager, agent);
	agent_served(pager, agent);
}

void agent_tick(struct pager *pager)
{
	for (uint32_t i = 1; pager->truncations && i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (!client || !client->agent.queued ||
		    pager->now_ns - client->agent.sent_ns < AGENT_LATE_NS)
			continue;
		for (uint32_t k = client->agent.head; k != IO_NONE; k = pager->ios[k].agent_next)
			if (io_truncates(&pager->ios[k]))
				private_unwait(pager, &pager->ios[k]);
	}
}

void agent_answers(struct pager *pager, uint64_t data, bool more)
{
	struct client *client = client_lookup_same(pager, (uint32_t)(data & 0xffffff),
						   (uint32_t)(data >> 24 & 0xffffffff));
	struct pagerd_answer answer;
	if (!client || client->agent.socket < 0)
		return;
	ssize_t bytes;
	while ((bytes = recv(client->agent.socket, &answer, sizeof answer, MSG_DONTWAIT)) ==
	       sizeof answer)
		agent_answer(pager, client, &answer);
	if (bytes >= 0 || (errno != EAGAIN && errno != EINTR))
		agent_lost(pager, client);
	else if (!more)
		agent_poll(pager, client);
}

void agent_close(struct pager *pager, struct client *client)
{
	if (client->agent.socket >= 0)
		agent_lost(pager, client);
}
