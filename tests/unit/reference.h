/* SPDX-License-Identifier: MIT */
/*
 * Slow, obvious references of the policies, written from the papers: one function a policy that
 * looks a page up, evicts and inserts. All state is lists of pages, searched from end to end.
 */
#ifndef PAGERD_TESTS_REFERENCE_H
#define PAGERD_TESTS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFERENCE_PAGES 512u /* pages are numbered below this */
#define PAGE_NONE	UINT32_MAX

/* Oldest first. */
struct pages {
	unsigned count;
	uint32_t at[REFERENCE_PAGES];
};

bool pages_have(const struct pages *pages, uint32_t page);
void pages_add(struct pages *pages, uint32_t page);
void pages_remove(struct pages *pages, uint32_t page);
uint32_t pages_take_first(struct pages *pages);
uint32_t pages_take_last(struct pages *pages);

struct reference {
	unsigned capacity;
	unsigned percent; /* a parameter of the policy's, where the test gives one */
	const uint32_t *trace;
	unsigned length, now; /* of the trace; the reference that is made */
	struct pages a, b, c, d;
	double p;
	unsigned hand;
	unsigned uses[REFERENCE_PAGES];
	unsigned when[REFERENCE_PAGES];
	bool marked[REFERENCE_PAGES];
	uint8_t counters[4][64][4]; /* w-tinylfu */
	unsigned counted;
	struct node { /* clock-pro */
		uint32_t page;
		bool resident, hot, used, test;
	} nodes[2 * REFERENCE_PAGES];
	unsigned node_count, room;
	uint32_t cold_hand, test_hand;
};

struct reference_policy {
	const char *spec;
	unsigned percent;
	/* Reference page: whether it was resident, and which page it drove out, or PAGE_NONE. */
	bool (*access)(struct reference *r, uint32_t page, uint32_t *out);
};

bool reference_fifo(struct reference *r, uint32_t page, uint32_t *out);
bool reference_lru(struct reference *r, uint32_t page, uint32_t *out);
bool reference_mru(struct reference *r, uint32_t page, uint32_t *out);
bool reference_clock(struct reference *r, uint32_t page, uint32_t *out);
bool reference_sieve(struct reference *r, uint32_t page, uint32_t *out);
bool reference_lfu(struct reference *r, uint32_t page, uint32_t *out);
bool reference_min(struct reference *r, uint32_t page, uint32_t *out);
bool reference_2q(struct reference *r, uint32_t page, uint32_t *out);
bool reference_arc(struct reference *r, uint32_t page, uint32_t *out);
bool reference_car(struct reference *r, uint32_t page, uint32_t *out);
bool reference_s3fifo(struct reference *r, uint32_t page, uint32_t *out);
bool reference_tinylfu(struct reference *r, uint32_t page, uint32_t *out);
bool reference_lirs(struct reference *r, uint32_t page, uint32_t *out);
bool reference_clock_pro(struct reference *r, uint32_t page, uint32_t *out);

#endif
