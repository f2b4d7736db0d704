/* SPDX-License-Identifier: MIT */
/* The file that runs with --file map. */
#ifndef PAGERBENCH_DATA_FILE_H
#define PAGERBENCH_DATA_FILE_H

#include <stdint.h>

/* Make a file of that many pages, each as nobody has written it yet (page_stamp.h), on disk and
 * not in the page cache. 0 or -errno. */
int data_file_make(const char *path, uint32_t pages);
/* Let the page cache forget it. 0 or -errno. */
int data_file_uncache(const char *path);

#endif
