/* SPDX-License-Identifier: MIT */
/* The hand that collects accessed bits. */
#include "sweep.h"

void sweep_advance(struct sweep *sweep)
{
	uint32_t count = sweep->batch < sweep->frames ? sweep->batch : sweep->frames;
	sweep->looked += count;
	while (count--) {
		uint32_t frame = sweep->hand;
		sweep->hand = frame + 1 < sweep->frames ? frame + 1 : 0;
		if (!(sweep->pages[frame] & FRAME_ACCESSED))
			continue;
		sweep->pages[frame] &= ~FRAME_ACCESSED;
		sweep->used++;
		sweep->ops->referenced(sweep->policy, frame);
	}
}

uint32_t sweep_victim(struct sweep *sweep, uint32_t *frame)
{
	uint32_t picked = sweep->ops->victims(sweep->policy, frame, 1);
	for (uint32_t i = 0; i < SWEEP_KEEP_MAX && picked == 1 && *frame < sweep->frames &&
			     sweep->pages[*frame] & FRAME_ACCESSED;
	     i++) {
		sweep->pages[*frame] &= ~FRAME_ACCESSED;
		sweep->kept++;
		sweep->ops->keep(sweep->policy, *frame);
		picked = sweep->ops->victims(sweep->policy, frame, 1);
	}
	return picked;
}
