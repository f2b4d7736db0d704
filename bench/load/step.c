/* SPDX-License-Identifier: MIT */
/* Steps. A step without a name prepares or verifies: it has one thread and takes its time. */
#include "step.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cost.h"
#include "mapped.h"

enum { WORD_BYTES = 64 };

struct cost {
	uint64_t ns;
	double daemon_us;
};

static int operation_parse(struct work *work, const char *word)
{
	static const char *const names[] = {"read", "write", "update"};
	const char *plus = strchr(word, '+');
	size_t length = plus ? (size_t)(plus - word) : strlen(word);

	work->sync = plus && !strcmp(plus, "+sync");
	if (plus && !work->sync)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (strlen(names[i]) != length || strncmp(word, names[i], length))
			continue;
		work->operation = i;
		return 0;
	}
	return -EINVAL;
}

static unsigned threads(const struct step *step, const struct load *load)
{
	if (load->depth)
		return load->depth;
	return step->name[0] ? load->threads : 1;
}

static void order_bounds(struct step *step, const struct load *load)
{
	struct order *order = &step->work.order;

	order->first = step->warm ? 0 : load->warm / load->unit;
	order->pages = (step->warm ? load->warm : load->pages - load->warm) / load->unit;
	order->threads = threads(step, load);
}

int step_parse(struct step *step, const struct load *load, const char *text)
{
	char operation[WORD_BYTES], order[WORD_BYTES];
	const char *equal = strchr(text, '=');
	unsigned long accesses = 0;

	*step = (struct step){0};
	if (equal && equal - text >= WORD_BYTES)
		return -EINVAL;
	if (equal)
		memcpy(step->name, text, equal - text);
	if (sscanf(equal ? equal + 1 : text, "%63[a-z+]/%63[a-z:0-9]/%lu", operation, order,
		   &accesses) < 2)
		return -EINVAL;
	step->warm = !strcmp(order, "warm");
	if (operation_parse(&step->work, operation) ||
	    order_parse(&step->work.order, step->warm ? "forward" : order))
		return -EINVAL;
	order_bounds(step, load);
	step->work.accesses = accesses / load->unit;
	return step->work.order.pages < step->work.order.threads ? -EINVAL : 0;
}

static void settle(struct step *step, const struct load *load)
{
	struct work *work = &step->work;

	if (order_init(&work->order))
		die("memory for the order");
	if (!work->accesses)
		work->accesses = order_length(&work->order);
	if (work->accesses < work->order.threads)
		work->accesses = work->order.threads;
	if (step->name[0] && load->seconds && work->operation != OPERATION_WRITE)
		work->end_ns = clock_ns() + load->seconds * 1e9;
}

/* The advice is for what is timed: all else is faster as it comes. */
static void advise(const struct step *step, struct load *load)
{
	if (!load->depth && load->advice != MADV_NORMAL)
		mapped_advise(load, step->name[0] ? load->advice : MADV_NORMAL);
}

static struct cost cost_now(const struct load *load)
{
	return (struct cost){
		.ns = clock_ns(),
		.daemon_us = load->daemon ? cost_cpu_us(load->daemon) : 0,
	};
}

static void tell(const struct step *step, const struct load *load, struct cost before,
		 struct cost after, uint64_t pages)
{
	printf("%s %.4f\n", step->name, (after.ns - before.ns) / 1e3 / pages);
	if (load->daemon) {
		printf("%s-daemon-cpu %.3f\n", step->name,
		       (after.daemon_us - before.daemon_us) / pages);
		printf("%s-daemon-memory %.2f\n", step->name, cost_memory_mib(load->daemon));
	}
	fflush(stdout);
}

void step_run(struct step *step, struct load *load, struct device *device)
{
	struct cost before, after;
	uint64_t made;

	settle(step, load);
	advise(step, load);
	before = cost_now(load);
	made = device ? device_run(device, &step->work) : mapped_run(load, &step->work);
	after = cost_now(load);
	if (step->name[0])
		tell(step, load, before, after, made * load->unit);
	order_finish(&step->work.order);
}
