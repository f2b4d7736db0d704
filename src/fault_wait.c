/* SPDX-License-Identifier: MIT */
/* Faults that wait: for an I/O, on its list, or for their turn, in a queue. */
#include "core.h"

void fault_wait_io(struct pager *pager, struct io *io, uint32_t number)
{
	pager->faults[number].next = io->waiters;
	io->waiters = number;
}

void fault_retry_list(struct pager *pager, uint32_t list, bool single)
{
	while (list != FAULT_NONE) {
		uint32_t next = pager->faults[list].next;
		pager->faults[list].single |= single;
		fault_handle(pager, list);
		list = next;
	}
}

void fault_wait_list(struct pager *pager, uint32_t list)
{
	for (uint32_t next; list != FAULT_NONE; list = next) {
		next = pager->faults[list].next;
		shortage_wait(pager, list);
	}
	shortage_retry(pager);
}

void fault_push(struct pager *pager, struct fault_queue *queue, uint32_t number)
{
	pager->faults[number].next = FAULT_NONE;
	if (queue->head == FAULT_NONE)
		queue->head = number;
	else
		pager->faults[queue->tail].next = number;
	queue->tail = number;
	queue->count++;
}

static uint32_t queue_take(struct fault_queue *queue)
{
	uint32_t list = queue->head;
	queue->head = queue->tail = FAULT_NONE;
	queue->count = 0;
	return list;
}

void fault_retry_queue(struct pager *pager, struct fault_queue *queue)
{
	fault_retry_list(pager, queue_take(queue), false);
}

uint32_t fault_fail_queue(struct pager *pager, struct fault_queue *queue)
{
	uint32_t list = queue_take(queue), count = 0;
	while (list != FAULT_NONE) {
		uint32_t next = pager->faults[list].next;
		count += fault_fail(pager, list);
		list = next;
	}
	return count;
}
