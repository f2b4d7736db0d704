/* SPDX-License-Identifier: MIT */
/*
 * Clients: one address space each, with its userfaultfd. The pager's thread only.
 */
#ifndef PAGERD_CLIENT_H
#define PAGERD_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "pagerd/pagerd.h"
#include "agent.h"
#include "region.h"
#include "wired.h"

struct pager;
struct pager_request;

struct client {
	uint32_t number; /* from 1 */
	uint32_t generation;
	uint32_t pid;
	uint32_t uid;
	char name[20];
	int uffd;    /* -1: none yet */
	bool polled; /* a poll of uffd is in the ring */
	bool ready;  /* events may be waiting in uffd */
	uint32_t pool;
	uint32_t region_count;
	uint32_t region_room;
	struct region **regions;
	struct object *held; /* of the last MAP or OPEN reply */
	bool held_read_only;
	bool freezing;		       /* between FORK and FORK_END */
	struct object *writing;	       /* frozen between FILE_BEGIN and FILE_END */
	struct pager_request *leaving; /* its session ended; done when the process has */
	uint64_t learn;		       /* number of the one that it has joined, 0: none */
	struct agent agent;
	int pagemap; /* its /proc/PID/pagemap, or -1 */
	struct wired wired;
	struct pagerd_stats stats;
	struct histogram latency;
};

int client_table_init(struct pager *pager);
void client_table_finish(struct pager *pager);

/* Add a client; uffd (or -1) becomes the client's on success. It gets *number, or if that is 0 one
 * that is free. 0, -ENOMEM, -EEXIST (somebody has the number), -EUSERS, or uffd_api's. */
int client_add(struct pager *pager, uint32_t pid, uint32_t uid, const char *name, int uffd,
	       uint32_t *number);
/* Give a client that has none its userfaultfd, and start to listen to it. */
int client_set_uffd(struct pager *pager, struct client *client, int uffd);
/* The client's /proc/PID/pagemap, which becomes ours in every case. 0, -EALREADY, -EINVAL. */
int client_set_pagemap(struct client *client, int fd);
/*
 * Has its address space gone, or does it use none of our memory? A process that closed our socket
 * lives on: its faults must be served as before, for once its ranges are unregistered it would
 * read zeros where its data was, and a hole that it touches in shared memory would become a page
 * of zeros for everybody.
 */
bool client_gone(const struct client *client);
/* At the daemon's end: what the client cannot reach any more gives SIGBUS instead of waiting, and
 * what it can is not protected any more. */
void client_poison(struct client *client);
/* What it has begun and others wait for, a fork or a write to a file, ends. */
void client_leave(struct pager *pager, struct client *client);
/* Forget it with all its regions. */
void client_remove(struct pager *pager, struct client *client);
struct client *client_lookup(struct pager *pager, uint32_t number);
/* The same for a number that was kept, with the generation: NULL if another client has it now. */
struct client *client_lookup_same(struct pager *pager, uint32_t number, uint32_t generation);
/* Hold object for the reply to MAP or OPEN (NULL: let go). */
void client_hold(struct pager *pager, struct client *client, struct object *object);
/* Arm the poll of the client's userfaultfd. 0, or -EBUSY if the ring is full. */
int client_poll(struct pager *pager, struct client *client);

#endif
