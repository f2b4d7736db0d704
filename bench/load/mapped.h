/* SPDX-License-Identifier: MIT */
/* Accesses to mapped memory. */
#ifndef LOAD_MAPPED_H
#define LOAD_MAPPED_H

#include "load.h"

/* Map the file, or anonymous memory. */
void mapped_init(struct load *load);
void mapped_advise(struct load *load, int advice);
/* Returns how many accesses were made. */
uint64_t mapped_run(struct load *load, const struct work *work);
void mapped_finish(struct load *load);

#endif
