/* SPDX-License-Identifier: MIT */
/* The reports of the objects: all of them, and those that have settings of their own. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "pagerd/protocol.h"

void report_json_objects(FILE *out, const struct pager_snapshot *s)
{
	fprintf(out, ", \"objects\": [");
	for (size_t i = 0; i < s->object_count; i++) {
		const struct object_info *o = &s->objects[i];
		fprintf(out, "%s{\"object\": %" PRIu64 ", \"kind\": \"%s\", \"regions\": %u",
			i ? ", " : "", o->object, report_kind_name(o->kind), o->regions);
		fprintf(out, ", \"device\": \"%x:%x\", \"inode\": %" PRIu64, major(o->device),
			minor(o->device), o->inode);
		fprintf(out, ", \"uid\": %u, \"size_pages\": %" PRIu64 ", \"policy\": ", o->uid,
			o->size_pages);
		report_json_string(out, o->policy);
		report_json_counters(out, &o->stats);
		fputc('}', out);
	}
	fputc(']', out);
}

void report_objects(FILE *out, const struct pager_snapshot *s)
{
	static const char *const heads[] = {
		"SIZE",	     "RESIDENT",  "DIRTY",  "SWAP",    "MAJOR",	     "MINOR",
		"ZERO",	     "WRITE",	  "READ",   "WRITTEN", "PREFETCHED", "USED",
		"CLEAN-OUT", "DIRTY-OUT", "P50-us", "P99-us",  "MAX-us",     "LIMIT"};
	fprintf(out, "\n%8s %-10s %8s", "OBJECT", "KIND", "REGIONS");
	for (size_t k = 0; k < sizeof heads / sizeof *heads; k++)
		fprintf(out, " %10s", heads[k]);
	fprintf(out, "  %s  %s\n", "DEVICE:INODE", "POLICY");
	for (size_t i = 0; i < s->object_count; i++) {
		const struct object_info *o = &s->objects[i];
		const struct pagerd_stats *t = &o->stats;
		const uint64_t values[] = {
			o->size_pages,		t->resident_pages,	t->dirty_pages,
			t->swap_pages,		t->faults_major,	t->faults_minor,
			t->faults_zero,		t->faults_write,	t->pages_read,
			t->pages_written,	t->pages_prefetched,	t->pages_prefetch_used,
			t->evicted_clean,	t->evicted_dirty,	t->fault_p50_ns / 1000,
			t->fault_p99_ns / 1000, t->fault_max_ns / 1000, t->limit_pages};
		fprintf(out, "%8" PRIu64 " %-10s %8u", o->object, report_kind_name(o->kind),
			o->regions);
		for (size_t k = 0; k < sizeof values / sizeof *values; k++)
			fprintf(out, " %10" PRIu64, values[k]);
		if (o->kind == PAGERD_FILE_SHARED)
			fprintf(out, "  %x:%x:%" PRIu64, major(o->device), minor(o->device),
				o->inode);
		else
			fprintf(out, "  -");
		fprintf(out, "  %s", o->policy[0] ? o->policy : "-");
		fputc('\n', out);
	}
}

void report_settings(FILE *out, const struct pager_snapshot *s, const struct report_query *query)
{
	const char *head = "\n  OBJECT    UID KIND         RESIDENT    LIMIT UNIT POLICY\n";
	char unit[16];
	for (size_t i = 0; i < s->object_count; i++) {
		const struct object_info *o = &s->objects[i];
		if (!o->policy[0] || (query->uid && query->uid != o->uid))
			continue;
		fprintf(out, "%s%8" PRIu64 " %6u %-12s %7" PRIu64 "M", head, o->object, o->uid,
			report_kind_name(o->kind), o->stats.resident_pages >> 8);
		if (o->stats.limit_pages)
			fprintf(out, " %7" PRIu64 "M", o->stats.limit_pages >> 8);
		else
			fprintf(out, " %8s", "-");
		fprintf(out, " %4s %s\n", report_unit(o->unit, unit), o->policy);
		head = "";
	}
}

/* The same, and nothing else of objects, which may be another user's. */
void report_json_settings(FILE *out, const struct pager_snapshot *s,
			  const struct report_query *query)
{
	const char *comma = "";
	char unit[16];
	fprintf(out, ", \"settings\": [");
	for (size_t i = 0; i < s->object_count; i++) {
		const struct object_info *o = &s->objects[i];
		if (!o->policy[0] || (query->uid && query->uid != o->uid))
			continue;
		fprintf(out,
			"%s{\"object\": %" PRIu64 ", \"uid\": %u, \"resident_pages\": %" PRIu64,
			comma, o->object, o->uid, o->stats.resident_pages);
		fprintf(out, ", \"limit_pages\": %" PRIu64 ", \"unit\": \"%s\", \"policy\": ",
			o->stats.limit_pages, report_unit(o->unit, unit));
		report_json_string(out, o->policy);
		fputc('}', out);
		comma = ", ";
	}
	fputc(']', out);
}
