/* SPDX-License-Identifier: MIT */
/* What of an address space is mapped: PAGEMAP_SCAN, see "Pagemap" in the kernel's documentation. */
#ifndef PAGERD_PAGEMAP_H
#define PAGERD_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the kernel has it (Linux 6.7). */
bool pagemap_supported(void);
/* Whether fd is a process's /proc/PID/pagemap that can be scanned. */
bool pagemap_valid(int fd);
/* Set the bytes of mapped that stand for the pages of [address, address + pages) which have an
 * entry in the page table; the others stay as they are. Stops at an error: what could not be
 * looked at counts as not mapped. */
void pagemap_scan(int fd, uint64_t address, uint32_t pages, uint8_t *mapped);

#endif
