/* SPDX-License-Identifier: MIT */
/* pagerd --check: what kernel and permissions allow, and how to fix what is missing. */
#ifndef PAGERD_CHECK_H
#define PAGERD_CHECK_H

#include "config.h"

/* Print one line for each thing. Returns the exit status: 0, or EXIT_PERMISSION if something
 * that is required is missing. */
int check_print(const struct config *config, int device_fd, int latency_fd);
/* What the pager cannot run without and is missing goes to the log; 0 or EXIT_PERMISSION. */
int check_required(int device_fd);

#endif
