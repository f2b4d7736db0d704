/* SPDX-License-Identifier: MIT */
/* Slow references: lirs and clock-pro. */
#include <assert.h>
#include <string.h>

#include "reference.h"

static unsigned share(unsigned pages, unsigned percent)
{
	unsigned result = pages * percent / 100;
	return result ? result : 1;
}

/* ---- lirs: a: S, b: Q, c: the LIR pages, d: the ghosts as they left ------------------------ */

static void lirs_prune(struct reference *r)
{
	while (r->a.count && !pages_have(&r->c, r->a.at[0])) {
		uint32_t page = pages_take_first(&r->a);
		if (pages_have(&r->d, page))
			pages_remove(&r->d, page);
	}
}

/* The LIR page that is lowest in S becomes HIR, at the end of Q. */
static void lirs_demote(struct reference *r)
{
	lirs_prune(r);
	uint32_t page = pages_take_first(&r->a);
	pages_remove(&r->c, page);
	pages_add(&r->b, page);
	lirs_prune(r);
}

static void lirs_become(struct reference *r, uint32_t page, unsigned lirs)
{
	pages_add(&r->a, page);
	pages_add(&r->c, page);
	if (r->c.count > lirs)
		lirs_demote(r);
}

static bool lirs_hit(struct reference *r, uint32_t page, unsigned lirs)
{
	bool stacked = pages_have(&r->a, page);
	if (pages_have(&r->c, page)) {
		pages_remove(&r->a, page);
		pages_add(&r->a, page);
		lirs_prune(r);
	} else if (pages_have(&r->b, page) && stacked) {
		pages_remove(&r->b, page);
		pages_remove(&r->a, page);
		lirs_become(r, page, lirs);
	} else if (pages_have(&r->b, page)) {
		pages_remove(&r->b, page);
		pages_add(&r->b, page);
		pages_add(&r->a, page);
	} else {
		return false;
	}
	return true;
}

bool reference_lirs(struct reference *r, uint32_t page, uint32_t *out)
{
	unsigned lirs = r->capacity - share(r->capacity, r->percent ? r->percent : 1);
	if (lirs_hit(r, page, lirs))
		return true;
	if (r->b.count + r->c.count == r->capacity) {
		if (!r->b.count)
			lirs_demote(r);
		*out = pages_take_first(&r->b);
		if (pages_have(&r->a, *out))
			pages_add(&r->d, *out);
	}
	bool ghost = pages_have(&r->d, page);
	if (ghost) {
		pages_remove(&r->d, page);
		pages_remove(&r->a, page);
	}
	while (r->d.count > 2 * r->capacity)
		pages_remove(&r->a, pages_take_first(&r->d));
	if (ghost || r->c.count < lirs) {
		lirs_become(r, page, lirs);
	} else {
		pages_add(&r->a, page);
		pages_add(&r->b, page);
	}
	return false;
}

/* ---- clock-pro: the nodes in the order of the clock, the first where the hot hand is -------- */

static unsigned node_find(const struct reference *r, uint32_t page)
{
	unsigned i = 0;
	while (i < r->node_count && r->nodes[i].page != page)
		i++;
	return i;
}

/* Where a hand is: it names a page. */
static unsigned hand_find(const struct reference *r, uint32_t hand)
{
	return hand == PAGE_NONE ? 0 : node_find(r, hand);
}

static uint32_t node_after(const struct reference *r, unsigned i)
{
	return r->nodes[(i + 1) % r->node_count].page;
}

static struct node node_take(struct reference *r, unsigned i, bool with_hands)
{
	struct node node = r->nodes[i];
	uint32_t next = r->node_count == 1 ? PAGE_NONE : node_after(r, i);
	if (with_hands && r->cold_hand == node.page)
		r->cold_hand = next;
	if (with_hands && r->test_hand == node.page)
		r->test_hand = next;
	r->node_count--;
	memmove(&r->nodes[i], &r->nodes[i + 1], (r->node_count - i) * sizeof *r->nodes);
	return node;
}

static void node_add(struct reference *r, struct node node)
{
	assert(r->node_count < 2 * REFERENCE_PAGES);
	r->nodes[r->node_count++] = node;
}

static unsigned count(const struct reference *r, bool resident, bool hot)
{
	unsigned result = 0;
	for (unsigned i = 0; i < r->node_count; i++)
		result += r->nodes[i].resident == resident && r->nodes[i].hot == hot;
	return result;
}

static void end_test(struct reference *r, unsigned i)
{
	struct node *node = &r->nodes[i];
	if (node->test && !node->used && r->room > 1)
		r->room--;
	node->test = false;
	if (!node->resident)
		node_take(r, i, true);
}

/* Turn the clock by one under the hot hand; the other hands stay with their pages. */
static void turn(struct reference *r)
{
	if (r->cold_hand == PAGE_NONE)
		r->cold_hand = r->nodes[0].page;
	if (r->test_hand == PAGE_NONE)
		r->test_hand = r->nodes[0].page;
	node_add(r, node_take(r, 0, false));
}

static void pass_cold(struct reference *r)
{
	bool resident = r->nodes[0].resident;
	end_test(r, 0);
	if (resident)
		turn(r);
}

static void run_hot_hand(struct reference *r)
{
	for (;;) {
		if (!r->nodes[0].hot) {
			pass_cold(r);
			continue;
		}
		bool used = r->nodes[0].used;
		r->nodes[0].used = false;
		r->nodes[0].hot = used;
		turn(r);
		if (!used)
			break;
	}
	while (count(r, true, true) && !r->nodes[0].hot)
		pass_cold(r);
}

static void become_hot(struct reference *r, uint32_t page)
{
	node_add(r, (struct node){.page = page, .resident = true, .hot = true});
	if (r->room < r->capacity)
		r->room++;
	while (count(r, true, true) > r->capacity - r->room)
		run_hot_hand(r);
}

static void run_test_hand(struct reference *r)
{
	unsigned i = hand_find(r, r->test_hand);
	while (r->nodes[i].hot)
		i = (i + 1) % r->node_count;
	r->test_hand = node_after(r, i);
	end_test(r, i);
}

static uint32_t run_cold_hand(struct reference *r)
{
	for (;;) {
		if (!count(r, true, false))
			run_hot_hand(r);
		unsigned i = hand_find(r, r->cold_hand);
		struct node *node = &r->nodes[i];
		uint32_t page = node->page;
		if (node->hot || !node->resident) {
			r->cold_hand = node_after(r, i);
		} else if (!node->used) {
			if (node->test)
				node->resident = false;
			else
				node_take(r, i, true);
			while (count(r, false, false) > r->capacity)
				run_test_hand(r);
			return page;
		} else if (node_take(r, i, true).test) {
			become_hot(r, page);
		} else {
			node_add(r, (struct node){.page = page, .resident = true, .test = true});
		}
	}
}

bool reference_clock_pro(struct reference *r, uint32_t page, uint32_t *out)
{
	unsigned i = node_find(r, page);
	if (!r->now) {
		r->room = share(r->capacity, r->percent ? r->percent : 1);
		r->cold_hand = r->test_hand = PAGE_NONE;
	}
	if (i < r->node_count && r->nodes[i].resident) {
		r->nodes[i].used = true;
		return true;
	}
	if (count(r, true, true) + count(r, true, false) == r->capacity)
		*out = run_cold_hand(r);
	i = node_find(r, page);
	if (i < r->node_count) {
		node_take(r, i, true);
		become_hot(r, page);
	} else {
		node_add(r, (struct node){.page = page, .resident = true, .test = true});
	}
	return false;
}
