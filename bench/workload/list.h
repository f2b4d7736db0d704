/* SPDX-License-Identifier: MIT */
/* The workloads that there are, each in the file of its name. */
#ifndef BENCH_WORKLOAD_LIST_H
#define BENCH_WORKLOAD_LIST_H

#include "workload/workload.h"

extern const struct workload_ops workload_uniform;
extern const struct workload_ops workload_zipf;
extern const struct workload_ops workload_sequential;
extern const struct workload_ops workload_loop;
extern const struct workload_ops workload_zigzag;
extern const struct workload_ops workload_scan;
extern const struct workload_ops workload_moving;
extern const struct workload_ops workload_working_set;
extern const struct workload_ops workload_hot_cold;
extern const struct workload_ops workload_follows;
extern const struct workload_ops workload_once;
extern const struct workload_ops workload_chase;
extern const struct workload_ops workload_matrix_row;
extern const struct workload_ops workload_matrix;
extern const struct workload_ops workload_btree;
extern const struct workload_ops workload_bfs;
extern const struct workload_ops workload_hash_join;

#endif
