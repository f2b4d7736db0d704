/* SPDX-License-Identifier: MIT */
/* Reports: a snapshot of the pager as text or JSON. */
#ifndef PAGERD_REPORT_H
#define PAGERD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "daemon.h"

struct report_query {
	uint32_t kind; /* enum pagerd_report_kind */
	uint32_t pid;  /* 0: all that the asker may see */
	bool json;
	uid_t uid; /* the asker's */
};

/* Make the report in *text (free it). 0, -ESRCH (no such client that the asker may see: whether
 * there is another's is not said), -EINVAL (no such report), -ENOMEM. */
int report_make(const struct daemon *daemon, const struct pager_snapshot *snapshot,
		const struct report_query *query, char **text, size_t *length);

/* ---- between report.c and report_*.c ---- */

/* May the asker see this client, and is it asked for? */
bool report_shown(const struct report_query *query, const struct client_info *client);
const char *report_kind_name(uint32_t kind);
/* "64K", "auto"; "-" for 0. */
const char *report_unit(uint32_t pages, char text[16]);
void report_json_string(FILE *out, const char *text);
void report_json_counters(FILE *out, const struct pagerd_stats *stats);
/* All objects. */
void report_objects(FILE *out, const struct pager_snapshot *snapshot);
void report_json_objects(FILE *out, const struct pager_snapshot *snapshot);
/* Those of the asker's that have settings of their own; nothing if there are none. */
void report_settings(FILE *out, const struct pager_snapshot *snapshot,
		     const struct report_query *query);
void report_json_settings(FILE *out, const struct pager_snapshot *snapshot,
			  const struct report_query *query);
/* What the asker's LEARN has recorded. */
void report_learned(FILE *out, const struct pager_snapshot *snapshot);
void report_maps(FILE *out, const struct pager_snapshot *snapshot,
		 const struct report_query *query);

#endif
