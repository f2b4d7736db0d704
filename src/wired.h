/* SPDX-License-Identifier: MIT */
/*
 * Wired pages: what a client has locked (mlock(2)) stays.
 *
 * A client has an ordered list of address ranges; a page is wired if a region that shows it, or
 * the region of private pages over it, has it in one. Not more than half of the budget is wired,
 * nor of a client's limit (of the pager's share, or of an even one, where it is shared): what is
 * locked beyond that is paged as before. Where nothing else can be
 * evicted (the budget has been lowered, say), wired pages go too. The pager's thread only.
 */
#ifndef PAGERD_WIRED_H
#define PAGERD_WIRED_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct client;
struct object;

struct wired_range {
	uint64_t start; /* addresses; end is exclusive */
	uint64_t end;
};

struct wired {
	struct wired_range *ranges;
	uint32_t count;
	uint32_t room;
};

void wired_finish(struct wired *wired);
/* Memory for so many ranges more than there are. 0 or -ENOMEM. */
int wired_reserve(struct client *client, uint32_t more);
/* [start, end) of the client, of which nothing was, is locked, as far as the budget allows. There
 * is memory for one range more. */
void wired_add(struct pager *pager, struct client *client, uint64_t start, uint64_t end);
/* It is not any more. Without memory to know what is left behind a hole, that is not either. */
void wired_remove(struct pager *pager, struct client *client, uint64_t start, uint64_t end);
/* Whether the client has locked the page at address. */
bool wired_at(const struct client *client, uint64_t address);
/* Whether anybody has locked the page. */
bool wired_page(struct pager *pager, const struct object *object, uint64_t page);

#endif
