/* SPDX-License-Identifier: MIT */
/* Faults begin and end: the events of userfaultfd, and the records that are made of them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "core.h"
#include "faultstate.h"

#define EVENT_BATCH 32

/* ---- records ----------------------------------------------------------------------------- */

int fault_table_init(struct pager *pager)
{
	pager->faults = calloc(FAULT_COUNT, sizeof *pager->faults);
	if (!pager->faults)
		return -ENOMEM;
	pager->fault_free = FAULT_NONE;
	pager->fault_free_count = FAULT_COUNT;
	shortage_init(pager);
	pager->frozen.head = pager->frozen.tail = FAULT_NONE;
	return 0;
}

void fault_table_finish(struct pager *pager)
{
	free(pager->faults);
}

static uint32_t fault_alloc(struct pager *pager)
{
	uint32_t number = pager->fault_free;
	if (number == FAULT_NONE)
		number = pager->fault_fresh++;
	else
		pager->fault_free = pager->faults[number].next;
	pager->fault_free_count--;
	return number;
}

void fault_free(struct pager *pager, uint32_t number)
{
	struct pager_request *request = pager->faults[number].request;
	pager->faults[number].next = pager->fault_free;
	pager->fault_free = number;
	pager->fault_free_count++;
	if (request)
		request_part_done(pager, request, 0);
}

void fault_done(struct pager *pager, uint32_t number)
{
	struct fault *fault = &pager->faults[number];
	struct client *client = client_lookup_same(pager, fault->client, fault->client_generation);
	struct object *object = object_lookup(pager, fault->object);
	uint64_t now = clock_ns();
	uint64_t ns = now > fault->arrived_ns ? now - fault->arrived_ns : 0;
	if (client)
		histogram_add(&client->latency, ns);
	if (object)
		histogram_add(&object->latency, ns);
	record_fault(pager, fault);
	fault_free(pager, number);
}

/* ---- events ------------------------------------------------------------------------------ */

static void fault_event(struct pager *pager, struct client *client, const struct uffd_msg *event,
			uint64_t now)
{
	if (event->event != UFFD_EVENT_PAGEFAULT)
		return;
	uint64_t flags = event->arg.pagefault.flags;
	uint32_t number = fault_alloc(pager);
	pager->faults[number] = (struct fault){
		.address = event->arg.pagefault.address & ~(uint64_t)(PAGE_BYTES - 1),
		.arrived_ns = now,
		.client = client->number,
		.client_generation = client->generation,
		.next = FAULT_NONE,
		.thread = event->arg.pagefault.feat.ptid,
		.write = flags & (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP),
		.protect = flags & UFFD_PAGEFAULT_FLAG_WP,
		.present = flags & UFFD_PAGEFAULT_FLAG_MINOR,
	};
	pager->latency.events++;
	if (!record_holds(pager, number) && !chaos_holds_fault(pager, number))
		fault_handle(pager, number);
}

void fault_read(struct pager *pager, struct client *client)
{
	struct uffd_msg events[EVENT_BATCH];
	client->ready = true;
	if (pager->fault_free_count < EVENT_BATCH)
		return;
	/* The client shares the file description and may clear O_NONBLOCK: never block on it. */
	struct iovec vector = {events, sizeof events};
	ssize_t bytes = preadv2(client->uffd, &vector, 1, -1, RWF_NOWAIT);
	/* There are no more: the next one makes the poll complete anew. */
	client->ready = bytes == sizeof events;
	if (bytes <= 0)
		return;
	uint64_t now = clock_ns();
	for (size_t i = 0; i < (size_t)bytes / sizeof *events; i++)
		fault_event(pager, client, &events[i], now);
}

bool fault_at(struct pager *pager, const struct client *client, uint64_t address,
	      struct pager_request *request)
{
	if (pager->fault_free_count < EVENT_BATCH)
		return false;
	uint32_t number = fault_alloc(pager);
	pager->faults[number] = (struct fault){
		.address = address,
		.arrived_ns = pager->now_ns,
		.client = client->number,
		.client_generation = client->generation,
		.next = FAULT_NONE,
		.single = true,
		.own = true,
		.request = request,
	};
	if (request)
		request->pending++;
	fault_handle(pager, number);
	return true;
}
