/* SPDX-License-Identifier: MIT */
/* What there is to access, and the accesses. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "order.h"

enum { PARTS_MOST = 64 };

enum operation {
	OPERATION_READ,	  /* check the page */
	OPERATION_WRITE,  /* write its next version */
	OPERATION_UPDATE, /* both */
};

struct load {
	uint64_t pages;
	uint64_t warm; /* the first of them are accessed by "warm" steps only */
	unsigned threads;
	double seconds;	   /* after so long a timed step ends that does not write; 0: never */
	const char *path;  /* NULL: anonymous memory */
	int advice;	   /* for madvise, in named steps */
	unsigned depth;	   /* of the ring; 0: memory is mapped, no ring */
	unsigned unit;	   /* pages of each request in the ring */
	bool mechanism;	   /* answered by another process, with one page for all */
	int daemon;	   /* the process whose cost is to be told, or 0 */
	uint8_t *versions; /* of each page */
	unsigned parts;	   /* mappings of as many pages each */
	void *memory[PARTS_MOST];
};

struct work {
	struct order order;
	enum operation operation;
	bool sync;	   /* write changes back at the end */
	uint64_t accesses; /* of all threads; a multiple of their number */
	uint64_t end_ns;   /* when to break it off, on clock_ns(); 0: never */
};

/* "compare_load: WHAT: " and what errno says, status 1. */
_Noreturn void die(const char *what);
uint64_t clock_ns(void);
/* Is it time to break off? */
bool work_is_over(const struct work *work);

#endif
