/* SPDX-License-Identifier: MIT */
/* Orders. */
#include "order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "side.h"

static const char *const names[] = {
	"forward", "backward", "stride:", "streams:", "blocks:", "once", "random"};

/* splitmix64: a sequence that can be entered anywhere. */
static uint64_t random_number(uint64_t i)
{
	uint64_t z = i * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static int step_parse(struct order *order, const char *text)
{
	char *end;
	unsigned long step = strtoul(text, &end, 10);

	if (end == text || *end || !step)
		return -EINVAL;
	order->step = step;
	return 0;
}

int order_parse(struct order *order, const char *text)
{
	for (unsigned kind = 0; kind < sizeof names / sizeof *names; kind++) {
		size_t length = strlen(names[kind]);

		if (strncmp(text, names[kind], length))
			continue;
		order->kind = kind;
		order->step = 1;
		if (names[kind][length - 1] == ':')
			return step_parse(order, text + length);
		return text[length] ? -EINVAL : 0;
	}
	return -EINVAL;
}

static void shuffle(uint32_t *numbers, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		numbers[i] = i;
	for (uint64_t i = count - 1; i > 0; i--) {
		uint64_t other = random_number(i) % (i + 1);
		uint32_t number = numbers[i];

		numbers[i] = numbers[other];
		numbers[other] = number;
	}
}

int order_init(struct order *order)
{
	order->shuffled = NULL;
	if (order->kind != ORDER_ONCE && order->kind != ORDER_BLOCKS)
		return 0;
	order->shuffled = side_alloc(order->pages * sizeof *order->shuffled);
	if (!order->shuffled)
		return -ENOMEM;
	shuffle(order->shuffled, order->pages / order->step);
	return 0;
}

void order_finish(struct order *order)
{
	side_free(order->shuffled, order->pages * sizeof *order->shuffled);
}

uint64_t order_length(const struct order *order)
{
	if (order->kind == ORDER_STREAMS || order->kind == ORDER_BLOCKS)
		return order->pages / order->step * order->step;
	return order->pages / order->step;
}

static uint64_t own_random(const struct order *order, unsigned thread, uint64_t i)
{
	uint64_t own = order->pages / order->threads;

	return random_number((uint64_t)thread << 40 | i) % own * order->threads + thread;
}

static uint64_t place(const struct order *order, uint64_t i)
{
	switch (order->kind) {
	case ORDER_BACKWARD:
		return order->pages - 1 - i;
	case ORDER_STRIDE:
		return i * order->step;
	case ORDER_STREAMS:
		return i % order->step * (order->pages / order->step) + i / order->step;
	case ORDER_BLOCKS:
		return order->shuffled[i / order->step] * order->step + i % order->step;
	case ORDER_ONCE:
		return order->shuffled[i];
	default:
		return i;
	}
}

uint64_t order_page(const struct order *order, unsigned thread, uint64_t i)
{
	if (order->kind == ORDER_RANDOM)
		return order->first + own_random(order, thread, i);
	return order->first + place(order, (i * order->threads + thread) % order_length(order));
}
