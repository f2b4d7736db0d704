/* SPDX-License-Identifier: MIT */
/*
 * What auto has to tell: its latest switches, with the figures that caused them.
 *
 * They are taken down where a switch is decided, within a fault, and become text when somebody
 * reads them.
 */
#ifndef PAGERD_POLICY_NOTES_H
#define PAGERD_POLICY_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/candidate.h"

#define NOTES_MOST 16u

struct note {
	uint32_t from, to;		 /* numbers of candidates */
	uint64_t references;		 /* to the sample, of which ... */
	uint64_t from_missed, to_missed; /* ... so many were misses */
	double pages_each;		 /* one page in so many is in the sample */
	uint32_t frames;		 /* of the sample */
};

struct notes {
	uint32_t head, count;
	struct note ring[NOTES_MOST];
};

/* The oldest goes unread if there are too many. */
void notes_add(struct notes *notes, const struct note *note);
/* The oldest as a sentence, which is then no longer here; false: there is none. */
bool notes_take(struct notes *notes, const struct candidates *candidates, char *text, size_t bytes);

#endif
