/* SPDX-License-Identifier: MIT */
/* The report of the regions, one line each in the format of /proc/PID/maps. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "pagerd/protocol.h"

#define NAME_COLUMN 73 /* where /proc/PID/maps has the name */

/* The region's client, if the asker may see it. */
static const struct client_info *region_owner(const struct pager_snapshot *s,
					      const struct report_query *query,
					      const struct region_info *region)
{
	for (size_t i = 0; i < s->client_count; i++)
		if (s->clients[i].client == region->client)
			return report_shown(query, &s->clients[i]) ? &s->clients[i] : NULL;
	return NULL;
}

static void region_permissions(FILE *out, const struct region_info *r)
{
	fprintf(out, "r%c-%c", r->read_only ? '-' : 'w',
		r->kind == PAGERD_FILE_SHARED || r->kind == PAGERD_ANON_SHARED ? 's' : 'p');
}

static void region_name(FILE *out, const struct region_info *r)
{
	if (r->kind == PAGERD_FILE_SHARED)
		fprintf(out, "object:%" PRIu64, r->object);
	else
		fprintf(out, "[pagerd:%s:%" PRIu64 "]", report_kind_name(r->kind), r->object);
}

static void text_region(FILE *out, const struct region_info *r)
{
	int width = fprintf(out, "%08" PRIx64 "-%08" PRIx64 " ", r->address,
			    r->address + r->length_bytes);
	region_permissions(out, r);
	width += 4 + fprintf(out, " %08" PRIx64 " %02x:%02x %" PRIu64, r->offset_bytes,
			     major(r->device), minor(r->device), r->inode);
	fprintf(out, "%*s", width < NAME_COLUMN ? NAME_COLUMN - width : 1, "");
	region_name(out, r);
	fprintf(out,
		" resident %" PRIu64 " dirty %" PRIu64 " private %" PRIu64 " swapped %" PRIu64
		" wired %" PRIu64,
		r->resident_pages, r->dirty_pages, r->private_pages, r->swap_pages, r->wired_pages);
}

/* What the object has for itself. */
static void text_setting(FILE *out, const struct region_info *r)
{
	char unit[16];
	if (r->policy[0])
		fprintf(out, " policy %s", r->policy);
	if (r->limit_pages)
		fprintf(out, " limit %" PRIu64, r->limit_pages);
	if (r->unit > 1)
		fprintf(out, " unit %s", report_unit(r->unit, unit));
	fputc('\n', out);
}

static void json_region(FILE *out, const struct region_info *r, const struct client_info *owner)
{
	fprintf(out, "{\"pid\": %u, \"address\": %" PRIu64 ", \"length_bytes\": %" PRIu64,
		owner->pid, r->address, r->length_bytes);
	fprintf(out, ", \"permissions\": \"");
	region_permissions(out, r);
	fprintf(out, "\", \"name\": \"");
	region_name(out, r);
	fprintf(out, "\", \"read_only\": %s, \"kind\": \"%s\"", r->read_only ? "true" : "false",
		report_kind_name(r->kind));
	fprintf(out, ", \"object\": %" PRIu64 ", \"offset_bytes\": %" PRIu64, r->object,
		r->offset_bytes);
	fprintf(out, ", \"device\": \"%x:%x\", \"inode\": %" PRIu64, major(r->device),
		minor(r->device), r->inode);
	fprintf(out, ", \"resident_pages\": %" PRIu64 ", \"dirty_pages\": %" PRIu64,
		r->resident_pages, r->dirty_pages);
	fprintf(out,
		", \"private_pages\": %" PRIu64 ", \"swap_pages\": %" PRIu64
		", \"wired_pages\": %" PRIu64 ", \"limit_pages\": %" PRIu64,
		r->private_pages, r->swap_pages, r->wired_pages, r->limit_pages);
	/* Policies and their parameters are words without quotes. */
	fprintf(out, ", \"unit_pages\": %u, \"policy\": \"%s\"}", r->unit, r->policy);
}

void report_maps(FILE *out, const struct pager_snapshot *snapshot, const struct report_query *query)
{
	const struct client_info *owner = NULL;
	const char *comma = "";
	uint32_t client = 0; /* of owner: a client's regions follow each other */
	if (query->json)
		fputs("{\"regions\": [", out);
	for (size_t i = 0; i < snapshot->region_count; i++) {
		const struct region_info *region = &snapshot->regions[i];
		if (region->client != client)
			owner = region_owner(snapshot, query, region);
		client = region->client;
		if (!owner)
			continue;
		if (query->json) {
			fputs(comma, out);
			json_region(out, region, owner);
			comma = ", ";
		} else {
			text_region(out, region);
			text_setting(out, region);
		}
	}
	if (query->json)
		fputs("]}\n", out);
}
