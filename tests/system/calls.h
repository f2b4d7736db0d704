/* SPDX-License-Identifier: MIT */
/* What the tests of memory calls share, and their lists, which end with an empty one. */
#ifndef PAGERD_TESTS_CALLS_H
#define PAGERD_TESTS_CALLS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define PAGE	    ((size_t)4096)
#define MIB	    ((size_t)1 << 20)
#define READ_WRITE  (PROT_READ | PROT_WRITE)
#define ANON	    (MAP_PRIVATE | MAP_ANONYMOUS)
#define ANON_SHARED (MAP_SHARED | MAP_ANONYMOUS)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			failed(__func__, __LINE__, #condition);                                    \
	} while (0)
/* The call must fail with that errno. */
#define CHECK_ERRNO(call, wanted)                                                                  \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((intptr_t)(call) == -1);                                                     \
		CHECK(errno == (wanted));                                                          \
	} while (0)

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(name)                                                                                 \
	{                                                                                          \
#name, test_##name                                                                 \
	}

extern const struct test tests_map[], tests_protect[], tests_advice[], tests_lock[], tests_file[],
	tests_kernel[];

/* Tell what is not so, and exit. */
_Noreturn void failed(const char *function, int line, const char *what);
/* The signal that a load from there (or a store) raises; 0: none. */
int fault_of(void *address, bool store);
/* Anonymous memory. */
void *map(size_t bytes, int flags);
extern const char *scratch_path;
/* An empty file of that size there, open. */
int scratch_file(size_t bytes);
/* Number every 8-byte word; whether they are still numbered so. */
void fill(void *memory, size_t bytes, uint64_t first);
bool holds(const void *memory, size_t bytes, uint64_t first);
bool zero(const void *memory, size_t bytes);

#endif
