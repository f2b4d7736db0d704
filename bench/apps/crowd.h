/* SPDX-License-Identifier: MIT */
/* What crowd and its clients share. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stddef.h>
#include <stdint.h>

enum {
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
	CLIENTS_MAX = 256,
	CLIENT_WORDS = 4, /* number, descriptors: ready, go, result */
};

/* What a client writes into its pipe at the end, in one piece. */
struct client_result {
	double start_us, end_us; /* CLOCK_MONOTONIC */
	double p99_us;		 /* of one access */
};

/* The words are a client's own (CLIENT_WORDS) and then crowd's. Returns an exit status. */
int client_main(char **words);

/* Every page can be told from every other; page_check exits with a message if it is not that. */
void page_write(uint64_t *words, size_t page);
void page_check(const uint64_t *words, size_t page);

/* Says what failed, with errno's reason, and exits with 1. */
_Noreturn void die(const char *what);

#endif
