/* SPDX-License-Identifier: MIT */
/* One thread wakes another by an event counter, eventfd(2). */
#ifndef PAGERD_WAKE_H
#define PAGERD_WAKE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* Wake whoever waits for fd. False on an error, of which there is none as long as fd is one: the
 * counter cannot overflow, as it is read before it is that full. Any thread. */
static inline bool wake(int fd)
{
	uint64_t one = 1;
	return write(fd, &one, sizeof one) == sizeof one || errno == EAGAIN;
}

#endif
