/* SPDX-License-Identifier: MIT */
/* The end of every program of Check tests. */
#ifndef PAGERD_TESTS_SUITE_H
#define PAGERD_TESTS_SUITE_H

#include <check.h>

/* Run the suite, and free it. The program's status: 0, or 1 if a check failed. */
static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

#endif
