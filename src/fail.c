/* SPDX-License-Identifier: MIT */
/*
 * Faults that fail: the access gets SIGBUS.
 *
 * UFFDIO_POISON goes into empty entries only, and markers of protection are lifted before. Nothing
 * may be mapped there then, which its thread would go on to write, and nobody would know: a page
 * that is resident is hidden until the poison is in its place. Where that cannot be, or where what
 * is there tells that the fault need not fail, its thread waits on, or tries again.
 */
#include "core.h"
#include "faultstate.h"

enum fate {
	FATE_EMPTY,  /* nothing of ours is mapped there, or what is may be written */
	FATE_MAPPED, /* the page behind may be, protected */
	FATE_AGAIN,  /* the page has come meanwhile */
	FATE_WAITS,  /* for something else than memory, or it must not be hidden */
};

/* What the page behind, of a file or of anonymous memory, makes of it. */
static enum fate behind_fate(const struct faultstate *fs, bool shared)
{
	if (pte_state(fs->pte) == PAGE_READING)
		return FATE_WAITS;
	if (pte_state(fs->pte) != PAGE_RESIDENT)
		return FATE_EMPTY;
	if (!fs->fault->protect)
		return FATE_AGAIN;
	/* Who writes a file needs its blocks, and the pager's records: see fault_write. */
	if (shared && object_is_file(fs->object) && !fs->fault->full)
		return FATE_WAITS;
	/* What the board's owner writes to it meanwhile would be undone. */
	return board_pinned(fs->object, fs->page) ? FATE_WAITS : FATE_MAPPED;
}

/* And what the client's own page does, where it is mapped privately. */
static enum fate fault_fate(struct pager *pager, const struct faultstate *fs, struct object *object)
{
	if (!object_is_private(object))
		return behind_fate(fs, true);
	switch (pte_state(object_pte(object, fs->page))) {
	case PAGE_ABSENT:
		return behind_fate(fs, false);
	case PAGE_SWAPPED:
		/* It may be there still, see private_fault. */
		return fs->fault->protect ? FATE_WAITS : FATE_EMPTY;
	case PAGE_READING:
		return FATE_WAITS;
	case PAGE_RESIDENT:
		break;
	}
	/* It may be there by now. */
	if (object->frozen)
		return FATE_WAITS;
	frame_dirty(pager, object, fs->page);
	return FATE_EMPTY;
}

static void fault_poison(const struct faultstate *fs)
{
	if (uffd_poison_page(fs->client->uffd, fs->fault->address))
		uffd_wake(fs->client->uffd, fs->fault->address, PAGE_BYTES);
}

/* The same where the page behind may be mapped, protected. False if that cannot be now. */
static bool mapped_poison(struct pager *pager, const struct faultstate *fs)
{
	unsigned char bytes[PAGE_BYTES];
	if (!hide_copy(pager, fs->object, fs->page, bytes))
		return false;
	hide_begin(fs->object, fs->page);
	fault_poison(fs);
	hide_end(pager, fs->object, fs->page, bytes);
	return true;
}

static void fault_failed(struct pager *pager, struct faultstate *fs)
{
	struct object *object = object_lookup(pager, fs->fault->object);
	fs->client->stats.faults_error++;
	if (object)
		object->stats.faults_error++;
	poison_add(pager, fs->client, fs->fault->address);
	fault_done(pager, fs->number);
}

bool fault_fail(struct pager *pager, uint32_t number)
{
	struct fault *fault = &pager->faults[number];
	struct faultstate fs = {.number = number, .fault = fault};
	fs.client = client_lookup_same(pager, fault->client, fault->client_generation);
	fs.region = fs.client ? region_lookup(fs.client, fault->address) : NULL;
	if (!fs.region) {
		fault_handle(pager, number);
		return false;
	}
	struct object *object = object_lookup(pager, fs.region->object);
	fs.object = object_behind(pager, object);
	fs.page = region_page(fs.region, fault->address);
	fs.pte = object_pte(fs.object, fs.page);
	enum fate fate = fault_fate(pager, &fs, object);
	if (fate == FATE_AGAIN) {
		fault_again(pager, &fs);
		return false;
	}
	if (fate == FATE_WAITS || (fate == FATE_MAPPED && !mapped_poison(pager, &fs))) {
		fault->full = false; /* by then there may be room */
		shortage_wait(pager, number);
		return false;
	}
	if (fate == FATE_EMPTY)
		fault_poison(&fs);
	fault_failed(pager, &fs);
	return true;
}
