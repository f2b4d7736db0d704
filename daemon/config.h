/* SPDX-License-Identifier: MIT */
/* The daemon's command line. */
#ifndef PAGERD_CONFIG_H
#define PAGERD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses (sysexits.h where one fits). */
enum {
	EXIT_USAGE = 64,
	EXIT_RING = 70,
	EXIT_NO_MEMORY = 71,
	EXIT_SWAP = 73,
	EXIT_SOCKET = 74,
	EXIT_RUNNING = 75,
	EXIT_POLICY = 76,
	EXIT_PERMISSION = 77,
};

#define SWAP_SERVICE	"/var/lib/pagerd" /* made if it is missing */
#define SOCKET_PATH_MAX 108		  /* bytes with the zero: sun_path of sockaddr_un */

struct config {
	uint64_t memory_bytes;
	uint32_t threads;      /* that page: shards */
	uint64_t client_bytes; /* limit of each new client; 0: none */
	uint64_t swap_limit_bytes;
	const char *swap;		      /* directory */
	const char *socket;		      /* path; shorter than a socket's name may be */
	char runtime_socket[SOCKET_PATH_MAX]; /* where socket points by default */
	const char *policy;
	uint32_t access_looks; /* see access.h */
	int low_latency;       /* 0 off, 1 on, 2 auto */
	uint32_t prefetch_pages;
	uint32_t unit; /* pages, or UNIT_AUTO */
	uint32_t writeback_ms;
	bool files_served; /* files of servers are paged, too */
	bool reclaim_on_demand;
	int lifeline_fd; /* -1: none */
	int record_fd;
	uint32_t record_window; /* pages; 0: nothing is recorded */
	int ready_fd;
	bool private;
	bool check;
	bool invariants;
	bool chaos;
	uint32_t chaos_seed;
	bool verbose;
};

/* Read the arguments; on a usage error says what is wrong and exits with EXIT_USAGE. */
void config_parse(struct config *config, int argc, char **argv);

/* "64M" -> bytes; K, M, G, T in powers of 1024. False if it is no size or 0. */
bool size_parse(const char *text, uint64_t *bytes);
/* "64K" -> pages, a power of two up to UNIT_MOST; "auto" -> UNIT_AUTO. False if it is neither. */
bool unit_parse(const char *text, uint32_t *pages);

#endif
