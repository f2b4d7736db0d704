/* SPDX-License-Identifier: MIT */
/* The end of every program of Check tests. */
#ifndef PAGERD_TESTS_SUITE_H
#define PAGERD_TESTS_SUITE_H

#include <check.h>

/* Check notes each assertion that holds by a system call, so as to tell where a crash came from.
 * Tests of millions of assertions did little else (test_bounce 6.5 s instead of 0.1):
 * tests/meson.build has the linker put this in its place, and a crash is told with the name of its
 * test. */
void __wrap__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

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
