/* SPDX-License-Identifier: MIT */
/* The same accesses as plain O_DIRECT reads and writes of the file, in one io_uring. */
#ifndef LOAD_DEVICE_H
#define LOAD_DEVICE_H

#include "load.h"

struct device;

struct device *device_create(struct load *load);
/* Order and accesses are in units. Returns how many accesses were made. */
uint64_t device_run(struct device *device, const struct work *work);
void device_destroy(struct device *device);

#endif
