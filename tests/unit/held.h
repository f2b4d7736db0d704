/* SPDX-License-Identifier: MIT */
/* A file whose write-back is held up: somebody writes it, and has its lock. */
#ifndef PAGERD_TESTS_HELD_H
#define PAGERD_TESTS_HELD_H

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness.h"

struct held {
	pthread_t thread;
	int uffd, fd;
	off_t end;    /* where he writes */
	void *source; /* his writes come from here */
	uint64_t *memory;
};

/* Somebody writes to fd's file, at end, and does not end until he is let go. */
void held_lock(struct held *held, int fd, off_t end);
/* A file of so many pages, all changed in memory; nothing is written to it until it is let go. */
void held_begin(struct held *held, struct harness *h, uint64_t pages);
void held_let_go(struct held *held);

#endif
