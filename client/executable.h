/* SPDX-License-Identifier: MIT */
/* What an executable says about how it is linked. */
#ifndef PAGERD_CLIENT_EXECUTABLE_H
#define PAGERD_CLIENT_EXECUTABLE_H

#include <stdbool.h>

struct executable {
	bool is_static;	    /* without an interpreter: nothing can be preloaded */
	bool has_allocator; /* needs a library named after malloc: jemalloc, tcmalloc, mimalloc */
	/* The library of a sanitizer that it needs, which has an allocator, too, and must be loaded
	 * before all others; or empty. */
	char sanitizer[32];
};

/* All false for what is no ELF executable of this machine's word size. */
void executable_inspect(const char *path, struct executable *executable);

#endif
