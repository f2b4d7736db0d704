/* SPDX-License-Identifier: MIT */
/* The files, their sizes and positions. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker.h"

enum {
	FILE_PAGES = 64, /* at the start */
	FILE_PAGES_MAX = 112,
};

static const char *const mode_names[] = {"rw", "ro", "append", "wo"};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static int file_make(const char *path, uint32_t file)
{
	char page[PAGE];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	for (uint32_t i = 0; i < FILE_PAGES; i++) {
		/* Some are holes. */
		memset(page, (int)(i * FILES + file + 1), sizeof(page));
		if (i % 5 != 3 && pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
			die(path);
	}
	return fd;
}

static int file_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

void files_make(struct files *files, const char *directory)
{
	char path[4096];

	for (uint32_t i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/file%u", directory, i);
		files->fd[i][OPEN_RW] = file_make(path, i);
		files->fd[i][OPEN_RO] = file_open(path, O_RDONLY);
		files->fd[i][OPEN_APPEND] = file_open(path, O_RDWR | O_APPEND);
		files->fd[i][OPEN_WO] = file_open(path, O_WRONLY);
	}
	files->directory = file_open(directory, O_RDONLY | O_DIRECTORY);
	if (pipe2(files->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		die("pipe");
}

void files_anchor(struct files *files)
{
	for (uint32_t i = 0; i < FILES; i++) {
		char *place = ARENA - (uint64_t)(i + 2) * 16 * PAGE;

		if (mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
			 files->fd[i][OPEN_RW], 0) != place)
			die("mmap");
	}
}

struct descriptor descriptor_pick(struct worker *w, bool changes)
{
	struct descriptor descriptor;
	uint32_t how = pick(w, 100);

	descriptor.file = (int)pick(w, FILES);
	if (how < 70)
		descriptor.mode = OPEN_RW;
	else if (how < 86)
		descriptor.mode = OPEN_RO;
	else if (how < 96)
		descriptor.mode = OPEN_APPEND;
	else
		descriptor.mode = OPEN_WO;
	if (changes && descriptor.file == STILL)
		descriptor.mode = OPEN_RO;
	descriptor.fd = w->files.fd[descriptor.file][descriptor.mode];
	return descriptor;
}

void report_descriptor(struct report *r, const struct descriptor *descriptor)
{
	if (descriptor->file >= 0)
		report(r, "file%d:%s", descriptor->file, mode_names[descriptor->mode]);
	else
		report(r, descriptor->fd == -1 ? "-1" : "other");
}

static off_t file_bytes(struct worker *w, uint32_t file)
{
	struct stat st;

	return fstat(w->files.fd[file][OPEN_RW], &st) < 0 ? -1 : st.st_size;
}

uint64_t file_pages(struct worker *w, uint32_t file)
{
	return (uint64_t)file_bytes(w, file) / PAGE;
}

void file_settle(struct worker *w, uint32_t file)
{
	off_t size = file_bytes(w, file), wanted = size;

	if (size % PAGE && !w->program->known[KNOWN_ODD_SIZES])
		wanted = (size + PAGE - 1) / PAGE * PAGE;
	if (size > (off_t)FILE_PAGES_MAX * PAGE)
		wanted = (off_t)FILE_PAGES * PAGE;
	report(&w->report, ", size %lld", (long long)size);
	if (wanted == size)
		return;
	report(&w->report, ", to %lld ", (long long)wanted);
	report_result(&w->report, ftruncate(w->files.fd[file][OPEN_RW], wanted));
}

void file_report(struct worker *w, uint32_t file)
{
	static char page[PAGE];
	uint64_t hash = 0;
	off_t at = 0;
	ssize_t got;

	while ((got = pread(w->files.fd[file][OPEN_RO], page, PAGE, at)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			hash = (hash ^ (unsigned char)page[i]) * 0x100000001b3u;
		at += got;
	}
	report(&w->report, "file%u: %lld bytes, %016llx ", file, (long long)at,
	       (unsigned long long)hash);
	report_result(&w->report, got);
}

void step_seek(struct worker *w)
{
	static const char *const names[] = {"SET", "CUR", "END", "bad"};
	struct descriptor descriptor = descriptor_pick(w, true);
	int whence = chance(w, 10) ? 99 : (int)pick(w, 3);
	off_t offset = (off_t)pick(w, FILE_PAGES * PAGE);

	if (whence)
		offset -= (off_t)(FILE_PAGES / 2) * PAGE;
	report(&w->report, "lseek(");
	report_descriptor(&w->report, &descriptor);
	report(&w->report, ", %lld, %s) ", (long long)offset, names[whence == 99 ? 3 : whence]);
	report_result(&w->report, lseek(descriptor.fd, offset, whence));
}

void step_truncate(struct worker *w)
{
	struct descriptor descriptor = descriptor_pick(w, true);
	off_t size = (off_t)(chance(w, 70) ? 32 + pick(w, 64) : pick(w, 64)) * PAGE;

	if (w->program->known[KNOWN_ODD_SIZES])
		size += pick(w, PAGE);
	if (chance(w, 5))
		size = -1;
	report(&w->report, "ftruncate(");
	report_descriptor(&w->report, &descriptor);
	report(&w->report, ", %lld) ", (long long)size);
	report_result(&w->report, ftruncate(descriptor.fd, size));
}

void step_allocate(struct worker *w)
{
	static const struct name names[] = {{0, "0"},
					    {FALLOC_FL_KEEP_SIZE, "KEEP_SIZE"},
					    {FALLOC_FL_PUNCH_HOLE, "PUNCH_HOLE"},
					    {FALLOC_FL_COLLAPSE_RANGE, "COLLAPSE_RANGE"},
					    {FALLOC_FL_ZERO_RANGE, "ZERO_RANGE"},
					    {FALLOC_FL_INSERT_RANGE, "INSERT_RANGE"}};
	static const int modes[] = {0,
				    FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE,
				    FALLOC_FL_ZERO_RANGE,
				    FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_COLLAPSE_RANGE,
				    FALLOC_FL_INSERT_RANGE,
				    0x4000};
	struct descriptor descriptor = descriptor_pick(w, true);
	int mode = modes[pick(w, sizeof(modes) / sizeof(modes[0]))];
	off_t offset = (off_t)pick(w, FILE_PAGES) * PAGE;
	off_t length = (off_t)pick(w, 12) * PAGE;

	if (chance(w, 25))
		offset += pick(w, PAGE);
	if (chance(w, 25))
		length += pick(w, PAGE);
	if (chance(w, 5))
		offset = -offset;
	report(&w->report, "fallocate(");
	report_descriptor(&w->report, &descriptor);
	report(&w->report, ", ");
	report_bits(&w->report, mode, names, sizeof(names) / sizeof(names[0]));
	report(&w->report, ", %lld, %lld) ", (long long)offset, (long long)length);
	report_result(&w->report, fallocate(descriptor.fd, mode, offset, length));
	file_settle(w, (uint32_t)descriptor.file);
}

void step_flush(struct worker *w)
{
	struct descriptor descriptor = descriptor_pick(w, false);
	bool data = chance(w, 50);

	report(&w->report, "%s(", data ? "fdatasync" : "fsync");
	report_descriptor(&w->report, &descriptor);
	report(&w->report, ") ");
	report_result(&w->report, data ? fdatasync(descriptor.fd) : fsync(descriptor.fd));
}
