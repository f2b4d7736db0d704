/* SPDX-License-Identifier: MIT */
/* What auto has to tell. */
#include "policy/notes.h"

#include <stdio.h>

void notes_add(struct notes *notes, const struct note *note)
{
	notes->ring[(notes->head + notes->count) % NOTES_MOST] = *note;
	if (notes->count < NOTES_MOST)
		notes->count++;
	else
		notes->head++;
}

bool notes_take(struct notes *notes, const struct candidates *candidates, char *text, size_t bytes)
{
	if (!notes->count)
		return false;
	const struct note *note = &notes->ring[notes->head++ % NOTES_MOST];
	const char *from = candidates->list[note->from].name, *to = candidates->list[note->to].name;
	notes->count--;
	snprintf(text, bytes,
		 "auto: from %s to %s: in %llu references to a sample (1 page in %.4g, %u frames) "
		 "%s missed %llu times, %s %llu",
		 from, to, (unsigned long long)note->references, note->pages_each, note->frames,
		 from, (unsigned long long)note->from_missed, to,
		 (unsigned long long)note->to_missed);
	return true;
}
