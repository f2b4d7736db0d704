/* SPDX-License-Identifier: MIT */
/* Clients of the daemon in daemon_harness.h: one end of a connection each. */
#ifndef PAGERD_TESTS_PEER_H
#define PAGERD_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The client's end of a new connection. */
int peer_new(void);
int peer_send_files(int peer, const void *data, size_t size, const int *fds, size_t count);
void peer_send(int peer, void *packet, size_t size, uint16_t type, int fd);
bool peer_readable(int peer);
/* The next packet for the client, and its descriptor or -1; 0 bytes: the session has ended. */
size_t peer_receive(int peer, void *packet, size_t size, int *fd);
/* A request, and the error of its reply; 1: the session has ended instead. */
int peer_call(int peer, void *packet, size_t size, uint16_t type, int fd);
int peer_hello(int peer);
int peer_header(int peer, uint16_t type, int fd);
/* FORK; *child is the child's connection, or -1. */
int peer_fork(int peer, int *child);
int userfaultfd_new(int flags);
/* HELLO and UFFD. Where no userfaultfd is to be had, the pager is asked as if one had come. */
int peer_join(void);
struct session;
/* The same, and the daemon's end of it. */
int peer_join_session(struct session **session);
void peer_must_have_ended(int peer);
int peer_map(int peer, uint32_t kind, uint32_t writable, uint64_t length, uint64_t offset, int fd);
size_t peer_text(int peer, char *text, size_t room, int *error);
int peer_report(int peer, uint32_t kind, uint32_t pid, uint32_t json, char *text, size_t room);
int peer_set_file(int peer, uint32_t pid, const char *settings, int file, char *why, size_t room);
int peer_set(int peer, uint32_t pid, const char *settings, char *why, size_t room);
int peer_learn(int peer, uint32_t flags, uint64_t *number);
int peer_pages(int peer, uint32_t count);
int peer_file(int peer, uint16_t type, uint32_t flags, uint64_t offset, int fd);

#endif
