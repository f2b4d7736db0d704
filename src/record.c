/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

#define RING (2 * RECORD_WINDOW_MAX)

bool record_on(const struct pager *pager)
{
	return pager->record.window;
}

static int record_sink(void *context, const void *bytes, size_t count)
{
	const struct record *record = context;
	const char *at = bytes;
	while (count) {
		ssize_t written = write(record->fd, at, count);
		if (written < 0 && errno != EINTR)
			return -errno;
		at += written > 0 ? written : 0;
		count -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

int record_init(struct pager *pager)
{
	struct record *record = &pager->record;
	record->fd = pager->config.record_fd;
	record->window = pager->config.record_window;
	record->waiting.head = record->waiting.tail = FAULT_NONE;
	record->last.page = UINT64_MAX;
	return !record->window ? 0 : trace_encoder_init(&record->encoder, record_sink, record);
}

static void record_failed(struct pager *pager, int error)
{
	if (!error || pager->record.error)
		return;
	char text[80];
	pager->record.error = error;
	snprintf(text, sizeof text, "the trace cannot be written any more: %s", strerror(-error));
	pager_tell(pager, text);
}

void record_finish(struct pager *pager)
{
	struct record *record = &pager->record;
	if (record->window && !record->error)
		record_failed(pager, trace_encoder_finish(&record->encoder));
	record->window = 0;
}

/* ---- the window -------------------------------------------------------------------------- */

static uint32_t window_used(const struct record *record)
{
	return record->tail - record->head;
}

static void window_add(struct pager *pager, uint32_t number)
{
	struct record *record = &pager->record;
	struct frame *frame = frame_get(pager, number);
	if (frame->flags & FRAME_SHOWN || window_used(record) == RING)
		return;
	frame->flags |= FRAME_SHOWN;
	record->frames[record->tail++ % RING] = number;
}

static void window_zapped(struct pager *pager, bool all)
{
	const struct zap *zap = &pager->zap;
	for (uint32_t i = 0; i < zap->count; i++) {
		struct frame *frame = frame_get(pager, zap->frames[i]);
		bool late = frame->flags & FRAME_ZAPPING && !all;
		frame->flags &= (uint16_t)~FRAME_ZAPPING;
		if (late) /* still mapped */
			window_add(pager, zap->frames[i]);
	}
}

/* Zap the oldest: half of the window, and what is beyond it. */
static void window_shrink(struct pager *pager)
{
	struct record *record = &pager->record;
	struct zap *zap = &pager->zap;
	zap->count = 0;
	while (window_used(record) > record->window / 2 && zap->count < ZAP_PAGES) {
		uint32_t number = record->frames[record->head++ % RING];
		struct frame *frame = frame_get(pager, number);
		if (!(frame->flags & FRAME_SHOWN))
			continue; /* it has left */
		frame->flags &= (uint16_t)~FRAME_SHOWN;
		if (frame->flags & FRAME_ZAPPING || !zap_allowed(pager, number))
			continue;
		frame->flags |= FRAME_ZAPPING;
		zap->frames[zap->count++] = number;
	}
	if (zap->count)
		zap_send(pager, window_zapped);
}

bool record_holds(struct pager *pager, uint32_t number)
{
	struct record *record = &pager->record;
	if (!record->window || pager->faults[number].protect ||
	    window_used(record) < record->window)
		return false;
	if (!zap_busy(pager))
		window_shrink(pager);
	if (!zap_busy(pager))
		return false;
	fault_push(pager, &record->waiting, number);
	return true;
}

void record_run(struct pager *pager)
{
	struct record *record = &pager->record;
	if (record->waiting.count && !zap_busy(pager))
		fault_retry_queue(pager, &record->waiting);
}

/* ---- references -------------------------------------------------------------------------- */

/* An access that was let through twice, before it could be made, is one. */
static bool reference_same(const struct trace_record *a, const struct trace_record *b)
{
	return a->page == b->page && a->thread == b->thread && a->write == b->write;
}

void record_fault(struct pager *pager, const struct fault *fault)
{
	struct record *record = &pager->record;
	const struct client *client = client_lookup(pager, fault->client);
	const struct region *region = client ? region_lookup(client, fault->address) : NULL;
	if (!record->window || record->error || fault->own || !region)
		return;
	struct object *object = object_lookup(pager, region->object);
	uint64_t page = region_page(region, fault->address), pte = object_pte(object, page);
	struct trace_record reference = {
		.page = page_identity(object_behind(pager, object)->number, page),
		.thread = fault->thread,
		.write = fault->write,
	};
	if (pte_state(pte) == PAGE_RESIDENT)
		window_add(pager, (uint32_t)pte_number(pte));
	if (reference_same(&reference, &record->last))
		return;
	record->last = reference;
	record_failed(pager, trace_encoder_add(&record->encoder, &reference));
}
