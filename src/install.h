/* SPDX-License-Identifier: MIT */
/*
 * Installing: pages that were read go to their object, and into the region that wants them.
 *
 * Of a long read only the pages around the one that is waited for are copied at once; the others,
 * and all pages that were read ahead, are copied by the worker where there is one. They stay in
 * transit until it has ended (PAGE_READING, io.installing), so who faults on one waits for the
 * record: it may find its page mapped before the tables say so, and is told then. The pager's
 * thread only.
 */
#ifndef PAGERD_INSTALL_H
#define PAGERD_INSTALL_H

#include <stdint.h>

struct fault;
struct io;
struct pager;
struct worker_job;

/* Put the pages of a read that is done into the object and map them in the region that fault
 * asked from. */
void io_install(struct pager *pager, uint32_t io, const struct fault *fault);
/* Map all pages of a staged read but the trigger: when a run reaches that, the answer is one page,
 * and the program goes on while another window comes in. */
void io_install_ahead(struct pager *pager, struct io *io);
/* The pages of a warm-up go to the object and, where they are not recorded, into the region. */
void io_install_warmup(struct pager *pager, struct io *io);
/* The worker has copied pages of a read. Frees no object, and handles no fault. */
void install_done(struct pager *pager, const struct worker_job *job);

#endif
