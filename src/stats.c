/* SPDX-License-Identifier: MIT */
/* Statistics: sums, and quantiles of latencies. */
#include "core.h"

/* The counters, which add up; levels and latencies are filled in apart. */
void stats_add(struct pagerd_stats *sum, const struct pagerd_stats *stats)
{
	sum->faults_major += stats->faults_major;
	sum->faults_minor += stats->faults_minor;
	sum->faults_zero += stats->faults_zero;
	sum->faults_write += stats->faults_write;
	sum->faults_cow += stats->faults_cow;
	sum->pages_zapped += stats->pages_zapped;
	sum->pages_found_used += stats->pages_found_used;
	sum->faults_error += stats->faults_error;
	sum->pages_read += stats->pages_read;
	sum->pages_written += stats->pages_written;
	sum->pages_prefetched += stats->pages_prefetched;
	sum->pages_prefetch_used += stats->pages_prefetch_used;
	sum->pages_unit += stats->pages_unit;
	sum->evicted_clean += stats->evicted_clean;
	sum->evicted_dirty += stats->evicted_dirty;
	sum->read_errors += stats->read_errors;
	sum->write_errors += stats->write_errors;
	sum->forks += stats->forks;
}

void stats_latency(struct pagerd_stats *stats, const struct histogram *histogram)
{
	stats->fault_p50_ns = histogram_quantile(histogram, 500);
	stats->fault_p99_ns = histogram_quantile(histogram, 990);
	stats->fault_p999_ns = histogram_quantile(histogram, 999);
	stats->fault_max_ns = histogram->max_ns;
}
