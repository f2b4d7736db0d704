/* SPDX-License-Identifier: MIT */
/* What the parts of pagerctl share: exit statuses and how to say what went wrong. */
#ifndef PAGERD_CLIENT_PAGERCTL_H
#define PAGERD_CLIENT_PAGERCTL_H

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

/* pagerctl run; argv[0] is that word. Returns the exit status. */
int run_main(char **argv);

#endif
