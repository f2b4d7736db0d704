/* SPDX-License-Identifier: MIT */
/* Messages to standard error; the service manager adds time and place. */
#ifndef PAGERD_LOG_H
#define PAGERD_LOG_H

#include <stdbool.h>

extern bool log_verbose;

/* Only with -v. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Nothing is wrong, but whoever looks after the daemon wants to know. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says so and exits with status. */
_Noreturn void fatal(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
