/* SPDX-License-Identifier: MIT */
/* Numbers for identities, whoever has chosen these. */
#include <check.h>
#include <stdint.h>

#include "../../bench/sim/dense.h"
#include "suite.h"

#define COUNT	4096u
#define LONGEST 256u /* run of slots in use, of a table that is half full; by chance it is 40 */

/* Consecutive numbers, after what a table would multiply them with. */
static uint64_t next_in_slot(uint64_t number)
{
	const uint64_t inverse = UINT64_C(0xf1de83e19937733d);
	uint64_t folded = number * inverse;
	return folded ^ folded >> 32;
}

static uint64_t spread(uint64_t number)
{
	return number << 12;
}

static uint64_t (*const identities[])(uint64_t) = {next_in_slot, spread};

static uint32_t longest_run(const struct dense *dense)
{
	uint32_t longest = 0, run = 0;
	for (uint64_t i = 0; i <= UINT64_MAX >> dense->shift; i++) {
		run = dense->slots[i].page ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* A trace made for that does not have them all looked for in one place. */
START_TEST(chosen)
{
	struct dense dense;
	ck_assert(!dense_init(&dense));
	for (uint64_t i = 0; i < COUNT; i++) {
		ck_assert(!dense_reserve(&dense, 1));
		ck_assert_uint_eq(dense_page(&dense, identities[_i](i)), i);
	}
	ck_assert_uint_lt(longest_run(&dense), LONGEST);
	for (uint64_t i = 0; i < COUNT; i++)
		ck_assert_uint_eq(dense_page(&dense, identities[_i](i)), i);
	ck_assert_uint_eq(dense.pages, COUNT);
	dense_finish(&dense);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dense");
	TCase *tcase = tcase_create("identities");
	tcase_add_loop_test(tcase, chosen, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
