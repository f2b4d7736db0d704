/* SPDX-License-Identifier: MIT */
/* What another process takes. */
#ifndef LOAD_COST_H
#define LOAD_COST_H

#include <sys/types.h>

/* Processor time of all threads of a process, in microseconds. */
double cost_cpu_us(pid_t pid);
/* Its own memory, and its page tables, in MiB: not files, nor memfds. */
double cost_memory_mib(pid_t pid);

#endif
