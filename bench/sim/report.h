/* SPDX-License-Identifier: MIT */
/* What came out, for people and for programs. */
#ifndef PAGERSIM_REPORT_H
#define PAGERSIM_REPORT_H

#include <stdio.h>

#include "options.h"
#include "pool.h"

struct report {
	const struct options *options;
	const char *trace_name;
	const char *command; /* the whole command line */
	const struct references *references;
	struct job *jobs; /* policy by policy, each with all sizes */
	size_t job_count;
};

/* Each writes to file; whether that went well, the file knows. */
void report_table(FILE *file, const struct report *report);
void report_csv(FILE *file, const struct report *report);
void report_json(FILE *file, const struct report *report);
void report_html(FILE *file, const struct report *report);

/* ---- what they share --------------------------------------------------------------------- */

double job_miss_ratio(const struct job *job, const struct report *report);
double job_ns_per_reference(const struct job *job, const struct report *report);
double job_metadata_per_page(const struct job *job);
/* Its size as a percentage of the footprint. */
double job_size_percent(const struct job *job, const struct report *report);
/* "exact", "faults", "harvest:N", as this job had it. */
const char *job_visibility(const struct job *job, const struct report *report);
/* The seed among its parameters, as text of *length bytes; NULL: none. */
const char *job_seed(const struct job *job, size_t *length);
/* The job of a policy with the size of this number. */
static inline const struct job *report_job(const struct report *report, size_t policy, size_t size)
{
	return &report->jobs[policy * report->options->size_count + size];
}

#endif
