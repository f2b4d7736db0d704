/* SPDX-License-Identifier: MIT */
/* Loads and stores, and the signals that they give. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

enum {
	PAGE_WORDS = PAGE / 8,
};

struct fault {
	int signal;
	int code;
	void *address;
};

/* Where a fault goes: the innermost attempt. */
static _Thread_local sigjmp_buf *fault_jump;
static _Thread_local struct fault fault;

static void on_fault(int number, siginfo_t *info, void *context)
{
	fault = (struct fault){number, info->si_code, info->si_addr};
	siglongjmp(*fault_jump, 1);
}

void touch_init(void)
{
	struct sigaction action = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	if (sigaction(SIGSEGV, &action, NULL) < 0 || sigaction(SIGBUS, &action, NULL) < 0) {
		perror("differ: signals");
		exit(2);
	}
}

/* Run body; false if it gave a signal, which is then in "fault". */
static bool attempt(void (*body)(void *), void *argument)
{
	sigjmp_buf here, *outer = fault_jump;

	if (sigsetjmp(here, 0)) {
		fault_jump = outer;
		return false;
	}
	fault_jump = &here;
	body(argument);
	fault_jump = outer;
	return true;
}

static const char *fault_name(const struct fault *f)
{
	if (f->signal == SIGSEGV && f->code == SEGV_MAPERR)
		return "SEGV_MAPERR";
	if (f->signal == SIGSEGV && f->code == SEGV_ACCERR)
		return "SEGV_ACCERR";
	if (f->signal == SIGBUS && f->code == BUS_ADRERR)
		return "BUS_ADRERR";
	if (f->signal == SIGBUS && f->code == BUS_MCEERR_AR)
		return "BUS_MCEERR_AR";
	return f->signal == SIGBUS ? "SIGBUS" : "SIGSEGV";
}

struct guarded {
	struct worker *worker;
	void (*step)(struct worker *);
};

static void guarded_run(void *argument)
{
	struct guarded *guarded = argument;

	guarded->step(guarded->worker);
}

void touch_guarded(struct worker *w, void (*step)(struct worker *))
{
	struct guarded guarded = {w, step};

	if (attempt(guarded_run, &guarded))
		return;
	report(&w->report, " CRASHED by %s at ", fault_name(&fault));
	report_address(&w->report, &w->space, fault.address);
}

/* ---- one page ------------------------------------------------------------------------------- */

struct access {
	char *page;
	uint32_t offset; /* of the byte */
	uint32_t bytes;	 /* to fill */
	uint64_t value;
	uint32_t hash;
};

static void access_hash(void *argument)
{
	struct access *access = argument;
	const volatile uint64_t *word = (const volatile uint64_t *)access->page;
	uint64_t hash = 0;

	for (unsigned i = 0; i < PAGE_WORDS; i++)
		hash = random_mix(hash ^ word[i]);
	access->hash = hash ? (uint32_t)hash | 1 : 0; /* 0 for a page of zeros */
}

static void access_fill(void *argument)
{
	const struct access *access = argument;
	volatile uint64_t *word = (volatile uint64_t *)access->page;

	for (unsigned i = 0; i < access->bytes / 8; i++)
		word[i] = access->value + i;
}

static void access_store(void *argument)
{
	const struct access *access = argument;

	*(volatile char *)(access->page + access->offset) = (char)access->value;
}

/* A load, then a store. */
static void access_add(void *argument)
{
	const struct access *access = argument;
	volatile char *at = access->page + access->offset;

	*at = (char)(*at + (char)access->value);
}

/* The fault in words; an address that is not the one accessed is marked. */
static void describe_fault(char *text, size_t bytes, const char *expected)
{
	long at = (char *)fault.address - expected;

	snprintf(text, bytes, "%s%s", fault_name(&fault), at ? "(elsewhere)" : "");
}

bool touch_fill(char *page, uint64_t value)
{
	struct access access = {.page = page, .bytes = PAGE, .value = value};

	return attempt(access_fill, &access);
}

uint32_t touch_hash(char *page)
{
	struct access access = {.page = page};

	return attempt(access_hash, &access) ? access.hash : 1;
}

/* ---- ranges: what is the same in neighbouring pages is said once ----------------------------- */

struct run {
	char text[32];
	uint32_t count;
};

static void run_end(struct run *run, struct report *r)
{
	if (run->count > 1)
		report(r, " %ux%s", run->count, run->text);
	else if (run->count)
		report(r, " %s", run->text);
	run->count = 0;
}

static void run_add(struct run *run, struct report *r, const char *text)
{
	if (strcmp(run->text, text))
		run_end(run, r);
	strcpy(run->text, text);
	run->count++;
}

void touch_load(struct worker *w, const struct range *range)
{
	struct run run = {.count = 0};
	char text[32];

	for (uint32_t i = 0; i < range->pages; i++) {
		struct access access = {.page = range_address(range) + (uint64_t)i * PAGE};

		if (attempt(access_hash, &access))
			snprintf(text, sizeof(text), "%x", access.hash);
		else
			describe_fault(text, sizeof(text), access.page);
		run_add(&run, &w->report, text);
	}
	run_end(&run, &w->report);
}

static void report_range(struct worker *w, const char *what, const struct range *range)
{
	report(&w->report, "%s ", what);
	report_address(&w->report, &w->space, range_address(range));
	report(&w->report, " %u pages:", range->pages);
}

void step_load(struct worker *w)
{
	struct range range = pick_range(w);

	report_range(w, "load", &range);
	touch_load(w, &range);
}

void step_store(struct worker *w)
{
	static const struct style {
		const char *name;
		void (*access)(void *);
	} styles[] = {{"fill", access_fill}, {"add", access_add}, {"store", access_store}};
	struct range range = pick_range(w);
	const struct style *style = &styles[pick(w, 3)];
	uint32_t offset = style->access == access_fill ? 0 : pick(w, PAGE);
	struct run run = {.count = 0};
	char text[32];

	report_range(w, style->name, &range);
	for (uint32_t i = 0; i < range.pages; i++) {
		uint32_t bytes = file_tail(w, &range_pages(&range)[i]);
		struct access access = {
			.page = range_address(&range) + (uint64_t)i * PAGE,
			.offset = offset % bytes,
			.bytes = bytes,
			.value = random_next(&w->random),
		};

		if (attempt(style->access, &access))
			strcpy(text, "ok");
		else
			describe_fault(text, sizeof(text), access.page + access.offset);
		run_add(&run, &w->report, text);
	}
	run_end(&run, &w->report);
}
