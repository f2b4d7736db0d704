/* SPDX-License-Identifier: MIT */
/* The file that runs with --file map. */
#include "data_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "page_stamp.h"

static int pages_write(int fd, uint32_t pages)
{
	FILE *file = fdopen(fd, "w");
	uint64_t words[PAGE_STAMP_LINES * PAGE_STAMP_WORDS] = {0};
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	for (uint32_t page = 0; page < pages; page++) {
		for (uint32_t line = 0; line < PAGE_STAMP_LINES; line++)
			words[line * PAGE_STAMP_WORDS] = page_stamp(page, line, 0, false);
		if (fwrite(words, sizeof words, 1, file) != 1)
			break;
	}
	int error = fflush(file) || fsync(fd) ? -errno : 0;
	fclose(file);
	return error;
}

int data_file_make(const char *path, uint32_t pages)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int error = pages_write(fd, pages);
	return error ? error : data_file_uncache(path);
}

int data_file_uncache(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Only pages that are on disk are forgotten. */
	int error = fsync(fd) ? -errno : -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
	return error;
}
