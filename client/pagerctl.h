/* SPDX-License-Identifier: MIT */
/* What the parts of pagerctl share: exit statuses and how to say what went wrong. */
#ifndef PAGERD_CLIENT_PAGERCTL_H
#define PAGERD_CLIENT_PAGERCTL_H

#include <stdint.h>

enum status {
	STATUS_REFUSED = 1,	 /* the daemon answered, and would not */
	STATUS_USAGE = 64,	 /* as sysexits.h */
	STATUS_UNAVAILABLE = 69, /* no daemon */
	STATUS_RUN_FAILED = 125, /* as env(1) and nohup(1): run's own failure */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

/* "pagerctl: ...\n" on standard error. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* That there is no session with the daemon at path, and why: the error of control_open. */
void complain_of_daemon(const char *path, int error);

/* Say what is wrong with the command line; returns STATUS_USAGE. */
int usage_error(const char *what, const char *why);
/* A process id. 0 or -EINVAL. */
int pid_parse(const char *text, uint32_t *pid);
/* A session with the daemon (option: --socket's, or NULL); negative after having said why there is
 * none. */
int daemon_open(const char *option);

/* pagerctl set; argv[0] is that word. Returns the exit status. */
int set_main(int argc, char **argv, const char *socket_option);
/* pagerctl run; argv[0] is that word. Returns the exit status. */
int run_main(char **argv);

#endif
