/* SPDX-License-Identifier: MIT */
/*
 * Which files may be mapped by the daemon's clients, from its filter (<pagerd/protocol.h>).
 *
 * Once it is open, any thread may look, signal handlers, and children.
 */
#ifndef PAGERD_CLIENT_FILTER_H
#define PAGERD_CLIENT_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Open that of the daemon with this socket. Where it is not to be had there is none. One thread at
 * a time. */
void filter_open(const char *socket);
/* There is none from now on. */
void filter_forget(void);
/* Whether there is one: if not, nothing is known. */
bool filter_there(void);
/* Its word for all files; 0: nobody has ever mapped any. */
uint64_t filter_all(void);
/* Whether there is a file that a word tells of, and whether one came, by that word as it was and as
 * it is. */
static inline bool filter_any(uint64_t word)
{
	return (uint32_t)word;
}
static inline bool filter_came(uint64_t before, uint64_t word)
{
	return before >> 32 != word >> 32;
}
/* 0: nobody maps that file, or there is no filter. Else it stays the same as long as no file comes
 * that might be it. */
uint64_t filter_look(const struct stat *status);

#endif
