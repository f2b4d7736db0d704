/* SPDX-License-Identifier: MIT */
/* What auto decides by, and what it tells of it. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "policy/contest.h"
#include "policy/notes.h"
#include "suite.h"

/* The first misses every second reference, and its simulation shows that. The second misses each,
 * but its simulation one in eight. */
START_TEST(finds_out_whose_simulation_is_too_good)
{
	struct contest contest = {
		.count = 2, .partial = true, .margin_percent = 2, .cost_percent = 10, .cache = 64};
	unsigned at_work[2] = {0}, references = 1000 * 64;
	for (unsigned i = 0; i < references; i++) {
		uint32_t missed = (i % 2 == 0 ? 1 : 0) | (i % 8 == 0 ? 2 : 0);
		unsigned winner = contest.current;
		at_work[winner]++;
		if (contest_add(&contest, winner || i % 2 == 0, missed))
			winner = contest_look(&contest);
		if (winner != contest.current)
			contest_switch(&contest, winner);
	}
	ck_assert_uint_gt(at_work[1], 0);
	ck_assert_msg(at_work[1] < references / 10, "%u", at_work[1]);
}
END_TEST

/* Those that nobody reads are lost, the oldest first. */
START_TEST(notes_are_bounded)
{
	struct candidates candidates = {.count = 2, .list = {{.name = "lru"}, {.name = "mru"}}};
	struct notes notes = {0};
	char text[400], wanted[40];
	for (unsigned i = 0; i < NOTES_MOST + 3; i++)
		notes_add(&notes, &(struct note){.to = 1, .references = i, .pages_each = 1});
	for (unsigned i = 3; i < NOTES_MOST + 3; i++) {
		ck_assert(notes_take(&notes, &candidates, text, sizeof text));
		snprintf(wanted, sizeof wanted, "auto: from lru to mru: in %u references", i);
		ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
	}
	ck_assert(!notes_take(&notes, &candidates, text, sizeof text));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("contest");
	TCase *tcase = tcase_create("contest");
	tcase_add_test(tcase, finds_out_whose_simulation_is_too_good);
	tcase_add_test(tcase, notes_are_bounded);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
