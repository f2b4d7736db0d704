/* SPDX-License-Identifier: MIT */
#include "update.h"

#define WEIGHT 16u /* an outcome's part of the average is one of so many */
#define BEGINS (UPDATE_ONE * 7 / 8)
#define ENDS   (UPDATE_ONE * 3 / 4)

static void trial_ended(struct update *update, bool written)
{
	uint32_t rest = UPDATE_ONE - update->share;
	if (written)
		update->share += (rest + WEIGHT - 1) / WEIGHT;
	else
		update->share -= update->share / WEIGHT;
	if (update->share >= BEGINS)
		update->expects = true;
	else if (update->share < ENDS)
		update->expects = false;
}

static void trial_begin(struct update *update, uint64_t page)
{
	uint32_t place = update->trials % UPDATE_TRIALS, bit = 1u << place;
	if (update->trials >= UPDATE_TRIALS)
		trial_ended(update, update->written & bit);
	update->pages[place] = page;
	update->written &= ~bit;
	if (++update->trials == 2 * UPDATE_TRIALS)
		update->trials = UPDATE_TRIALS;
}

bool update_expected(struct update *update, uint64_t page)
{
	if (update->expects && ++update->asked % UPDATE_SAMPLE)
		return true;
	trial_begin(update, page);
	return false;
}

void update_written(struct update *update, uint64_t page)
{
	uint32_t trials = update->trials < UPDATE_TRIALS ? update->trials : UPDATE_TRIALS;
	for (uint32_t i = 0; i < trials; i++)
		if (update->pages[i] == page)
			update->written |= 1u << i;
}
