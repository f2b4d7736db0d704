/* SPDX-License-Identifier: MIT */
/* Syncs, on a pager that does not run: its turns are taken here. */
#include <check.h>

#include "core.h"
#include "suite.h"

/* Two syncs of an object that has been let go end at once; the first lets it be freed. */
START_TEST(two_end_at_once)
{
	struct pager_config config = {
		.budget_bytes = 64 << PAGE_SHIFT,
		.policy = "lru",
		.swap_dir_fd = -1,
		.latency_fd = -1,
	};
	struct pager *pager;
	struct object *object;
	char why[200] = "";
	ck_assert_msg(!pager_create(&pager, &config, why, sizeof why), "%s", why);
	ck_assert(!object_create_anonymous(pager, PAGERD_ANON_SHARED, 16, &object));
	uint32_t number = object->number;
	ck_assert(!sync_start(pager, object, 0, 16, false, NULL));
	ck_assert(!sync_start(pager, object, 0, 16, false, NULL));
	object_release(pager, object);
	ck_assert_ptr_eq(pager->objects[number], object);
	sync_run(pager);
	ck_assert_ptr_null(pager->objects[number]);
	pager_destroy(pager);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sync");
	TCase *tests = tcase_create("ends");
	tcase_add_test(tests, two_end_at_once);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
