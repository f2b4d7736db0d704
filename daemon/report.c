/* SPDX-License-Identifier: MIT */
/* Reports: a snapshot of the pager as text or JSON. */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "access.h"
#include "pagerd/protocol.h"
#include "unit.h"

/* Every counter by its name, in the order of printing. */
static const struct counter {
	const char *name;
	size_t offset;
} counters[] = {
#define COUNTER(member)                                                                            \
	{                                                                                          \
#member, offsetof(struct pagerd_stats, member)                                     \
	}
	COUNTER(faults_major),	   COUNTER(faults_minor),
	COUNTER(faults_zero),	   COUNTER(faults_write),
	COUNTER(faults_cow),	   COUNTER(faults_error),
	COUNTER(pages_zapped),	   COUNTER(pages_found_used),
	COUNTER(pages_read),	   COUNTER(pages_written),
	COUNTER(pages_prefetched), COUNTER(pages_prefetch_used),
	COUNTER(evicted_clean),	   COUNTER(evicted_dirty),
	COUNTER(resident_pages),   COUNTER(resident_max_pages),
	COUNTER(dirty_pages),	   COUNTER(wired_pages),
	COUNTER(swap_pages),	   COUNTER(mapped_pages),
	COUNTER(limit_pages),	   COUNTER(fault_p50_ns),
	COUNTER(fault_p99_ns),	   COUNTER(fault_p999_ns),
	COUNTER(fault_max_ns),	   COUNTER(read_errors),
	COUNTER(write_errors),	   COUNTER(forks),
	COUNTER(pages_unit),
#undef COUNTER
};
#define COUNTERS (sizeof counters / sizeof *counters)

static uint64_t counter_value(const struct pagerd_stats *stats, size_t i)
{
	return *(const uint64_t *)((const char *)stats + counters[i].offset);
}

const char *report_kind_name(uint32_t kind)
{
	static const char *const names[] = {"?",	 "file",	 "shared",
					    "anonymous", "file-private", "forked"};
	return names[kind <= PAGERD_ANON_FORKED ? kind : 0];
}

void report_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

void report_json_counters(FILE *out, const struct pagerd_stats *stats)
{
	for (size_t i = 0; i < COUNTERS; i++)
		fprintf(out, ", \"%s\": %" PRIu64, counters[i].name, counter_value(stats, i));
}

static void json_total(FILE *out, const struct pager_snapshot *s)
{
	fprintf(out, ", \"total\": {\"size\": %" PRIu64, s->total.size);
	report_json_counters(out, &s->total);
	fputc('}', out);
}

static void text_counters(FILE *out, const struct pagerd_stats *stats)
{
	for (size_t i = 0; i < COUNTERS; i++)
		fprintf(out, "  %-20s %" PRIu64 "\n", counters[i].name, counter_value(stats, i));
}

bool report_shown(const struct report_query *query, const struct client_info *client)
{
	return (!query->uid || query->uid == client->uid) &&
	       (!query->pid || query->pid == client->pid);
}

const char *report_unit(uint32_t pages, char text[16])
{
	if (pages == UNIT_AUTO)
		return "auto";
	snprintf(text, 16, "%uK", pages << (PAGE_SHIFT - 10));
	return pages ? text : "-";
}

static uint64_t uptime_s(const struct daemon *daemon)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec - daemon->started_s;
}

static uint64_t mib(uint64_t pages)
{
	return pages >> 8;
}

/* ---- status ------------------------------------------------------------------------------ */

static void json_daemon(FILE *out, const struct daemon *daemon, const struct pager_snapshot *s)
{
	char unit[16], access[ACCESS_SOURCE_NAME];
	access_describe(s, access);
	fprintf(out, "\"pid\": %d, \"uptime_s\": %" PRIu64 ", \"policy\": ", (int)getpid(),
		uptime_s(daemon));
	report_json_string(out, s->policy);
	fprintf(out, ", \"unit\": \"%s\"", report_unit(s->unit, unit));
	fprintf(out, ", \"access\": \"%s\", \"latency_held\": %s", access,
		s->latency_held ? "true" : "false");
	fprintf(out, ", \"ghosts\": %" PRIu64 ", \"policy_bytes\": %" PRIu64, s->ghosts,
		s->policy_bytes);
	fprintf(out, ", \"budget_pages\": %" PRIu64 ", \"used_pages\": %" PRIu64, s->budget_pages,
		s->used_pages);
	fprintf(out, ", \"swap_pages\": %" PRIu64 ", \"swap_limit_pages\": %" PRIu64,
		s->total.swap_pages, s->swap_limit_pages);
	fprintf(out, ", \"clients_ever\": %" PRIu64, s->sessions_ever);
}

static void json_client(FILE *out, const struct client_info *client)
{
	char unit[16];
	fprintf(out, "{\"pid\": %u, \"uid\": %u, \"name\": ", client->pid, client->uid);
	report_json_string(out, client->name);
	fprintf(out, ", \"policy\": ");
	report_json_string(out, client->policy);
	fprintf(out, ", \"unit\": \"%s\", \"late\": %s", report_unit(client->unit, unit),
		client->late ? "true" : "false");
	report_json_counters(out, &client->stats);
	fputc('}', out);
}

static void json_clients(FILE *out, const struct pager_snapshot *s,
			 const struct report_query *query)
{
	const char *comma = "";
	fprintf(out, ", \"clients\": [");
	for (size_t i = 0; i < s->client_count; i++) {
		if (!report_shown(query, &s->clients[i]))
			continue;
		fputs(comma, out);
		json_client(out, &s->clients[i]);
		comma = ", ";
	}
	fputc(']', out);
}

static void status(FILE *out, const struct daemon *daemon, const struct pager_snapshot *s,
		   const struct report_query *query)
{
	if (query->json) {
		fputc('{', out);
		json_daemon(out, daemon, s);
		json_clients(out, s, query);
		report_json_settings(out, s, query);
		fputs("}\n", out);
		return;
	}
	char unit[16], access[ACCESS_SOURCE_NAME];
	access_describe(s, access);
	fprintf(out,
		"pagerd %d, up %" PRIu64 " s, policy %s, unit %s, access from %s, idle CPUs %s\n",
		(int)getpid(), uptime_s(daemon), s->policy, report_unit(s->unit, unit), access,
		s->latency_held ? "kept polling" : "sleep");
	fprintf(out, "memory %" PRIu64 " of %" PRIu64 " MiB, swap %" PRIu64 " MiB",
		mib(s->used_pages), mib(s->budget_pages), mib(s->total.swap_pages));
	if (s->swap_limit_pages)
		fprintf(out, " of %" PRIu64 " MiB", mib(s->swap_limit_pages));
	fprintf(out, ", policies remember %" PRIu64 " more pages, in %" PRIu64 " KiB", s->ghosts,
		s->policy_bytes >> 10);
	fprintf(out, "\n\n%8s %6s %-16s %8s %8s %8s %8s %8s %8s %s\n", "PID", "UID", "NAME",
		"MAPPED", "RESIDENT", "SWAP", "LIMIT", "MAJOR", "MINOR", "POLICY");
	for (size_t i = 0; i < s->client_count; i++) {
		const struct client_info *c = &s->clients[i];
		if (!report_shown(query, c))
			continue;
		fprintf(out, "%8u %6u %-16s %7" PRIu64 "M %7" PRIu64 "M %7" PRIu64 "M", c->pid,
			c->uid, c->name, mib(c->stats.mapped_pages), mib(c->stats.resident_pages),
			mib(c->stats.swap_pages));
		if (c->stats.limit_pages)
			fprintf(out, " %7" PRIu64 "M", mib(c->stats.limit_pages));
		else
			fprintf(out, " %8s", "-");
		fprintf(out, " %8" PRIu64 " %8" PRIu64 " %s%s%s%s\n", c->stats.faults_major,
			c->stats.faults_minor + c->stats.faults_zero, c->policy,
			c->unit ? " unit " : "", c->unit ? report_unit(c->unit, unit) : "",
			c->late ? " (stopped: does not answer)" : "");
	}
	report_settings(out, s, query);
}

/* ---- stat -------------------------------------------------------------------------------- */

static void stat_all(FILE *out, const struct daemon *daemon, const struct pager_snapshot *s,
		     const struct report_query *query)
{
	/* Whole tables are everybody's: only for root and the daemon's own user. */
	bool whole = !query->pid && (!query->uid || query->uid == geteuid());
	if (query->json) {
		fputc('{', out);
		json_daemon(out, daemon, s);
		if (whole) {
			json_total(out, s);
			report_json_objects(out, s);
		}
		json_clients(out, s, query);
		fputs("}\n", out);
		return;
	}
	const char *blank = "";
	if (whole) {
		fprintf(out, "total\n");
		text_counters(out, &s->total);
		blank = "\n";
	}
	for (size_t i = 0; i < s->client_count; i++) {
		if (!report_shown(query, &s->clients[i]))
			continue;
		fprintf(out, "%sclient %u (%s)\n", blank, s->clients[i].pid, s->clients[i].name);
		text_counters(out, &s->clients[i].stats);
		blank = "\n";
	}
	if (whole)
		report_objects(out, s);
}

/* ---- rusage ------------------------------------------------------------------------------ */

/* In the words of time -v, for the paged part. */
static void rusage(FILE *out, const struct pager_snapshot *s, bool json)
{
	const struct pagerd_stats *t = &s->total;
	if (json) {
		fprintf(out, "{\"clients_ever\": %" PRIu64, s->sessions_ever);
		json_total(out, s);
		fputs("}\n", out);
		return;
	}
	fprintf(out, "\tMaximum resident set size (kbytes): %" PRIu64 "\n",
		t->resident_max_pages * 4);
	fprintf(out, "\tMajor (requiring I/O) page faults: %" PRIu64 "\n", t->faults_major);
	fprintf(out, "\tMinor (reclaiming a frame) page faults: %" PRIu64 "\n",
		t->faults_minor + t->faults_zero);
	fprintf(out, "\tFirst writes to a clean page: %" PRIu64 "\n", t->faults_write);
	fprintf(out, "\tPages in: %" PRIu64 "\n", t->pages_read);
	fprintf(out, "\tPages out: %" PRIu64 "\n", t->pages_written);
	fprintf(out, "\tPages prefetched: %" PRIu64 "\n", t->pages_prefetched);
	fprintf(out, "\tEvicted clean: %" PRIu64 "\n", t->evicted_clean);
	fprintf(out, "\tEvicted dirty: %" PRIu64 "\n", t->evicted_dirty);
	fprintf(out, "\tFault latency p50/p99/p99.9/max (microseconds): %.1f/%.1f/%.1f/%.1f\n",
		(double)t->fault_p50_ns / 1e3, (double)t->fault_p99_ns / 1e3,
		(double)t->fault_p999_ns / 1e3, (double)t->fault_max_ns / 1e3);
}

/* ---- dispatch ---------------------------------------------------------------------------- */

static int pid_known(const struct pager_snapshot *s, const struct report_query *query)
{
	for (size_t i = 0; query->pid && i < s->client_count; i++)
		if (report_shown(query, &s->clients[i]))
			return 0;
	return query->pid ? -ESRCH : 0;
}

int report_make(const struct daemon *daemon, const struct pager_snapshot *snapshot,
		const struct report_query *query, char **text, size_t *length)
{
	int error = pid_known(snapshot, query);
	if (error)
		return error;
	FILE *out = open_memstream(text, length);
	if (!out)
		return -ENOMEM;
	switch (query->kind) {
	case PAGERD_REPORT_STATUS:
		status(out, daemon, snapshot, query);
		break;
	case PAGERD_REPORT_STAT:
		stat_all(out, daemon, snapshot, query);
		break;
	case PAGERD_REPORT_MAPS:
		report_maps(out, snapshot, query);
		break;
	case PAGERD_REPORT_LEARNED:
		report_learned(out, snapshot);
		break;
	case PAGERD_REPORT_RUSAGE:
		rusage(out, snapshot, query->json);
		break;
	default:
		error = -EINVAL;
	}
	if (fclose(out) && !error)
		error = -ENOMEM;
	if (error) {
		free(*text);
		*text = NULL;
	}
	return error;
}
