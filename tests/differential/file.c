/* SPDX-License-Identifier: MIT */
/* The files, their sizes and positions. */
#include <fcntl.h>
#include <limits.h>
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

static const struct {
	const char *name;
	int flags;
	bool link; /* by the file's other path */
} modes[OPEN_MODES] = {
	[OPEN_RW] = {"rw", O_RDWR},
	[OPEN_RO] = {"ro", O_RDONLY, true},
	[OPEN_APPEND] = {"append", O_RDWR | O_APPEND},
	[OPEN_WO] = {"wo", O_WRONLY, true},
	[OPEN_DIRECT] = {"direct", O_RDWR | O_DIRECT},
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static void file_path(char path[PATH_MAX], const char *directory, const char *name, uint32_t file)
{
	snprintf(path, PATH_MAX, "%s/%s%u", directory, name, file);
}

static int file_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	return fd;
}

static void file_fill(int fd, uint32_t first)
{
	char page[PAGE];

	for (uint32_t i = 0; i < FILE_PAGES; i++) {
		/* Some are holes. */
		memset(page, (int)(i * FILES + first), sizeof(page));
		if (i % 5 != 3 && pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
			die("pwrite");
	}
	if (ftruncate(fd, (off_t)FILE_PAGES * PAGE) < 0)
		die("ftruncate");
}

/* A new file with two paths. */
static void file_make(struct files *files, const char *directory, uint32_t file, uint32_t first)
{
	char path[PATH_MAX], other[PATH_MAX];
	int fd;

	file_path(path, directory, "file", file);
	file_path(other, directory, "link", file);
	unlink(path);
	unlink(other);
	fd = file_open(path, O_RDWR | O_CREAT | O_EXCL);
	file_fill(fd, first);
	close(fd);
	if (link(path, other) < 0)
		die(other);
	for (int i = 0; i < OPEN_MODES; i++)
		files->fd[file][i] = file_open(modes[i].link ? other : path, modes[i].flags);
}

void files_make(struct files *files, const char *directory)
{
	for (uint32_t i = 0; i < FILES; i++)
		file_make(files, directory, i, i + 1);
	files->directory = file_open(directory, O_RDONLY | O_DIRECTORY);
	if (pipe2(files->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		die("pipe");
}

static void file_anchor(struct files *files, uint32_t file, int flags)
{
	char *place = ARENA - (uint64_t)(file + 2) * 16 * PAGE;

	if (mmap(place, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | flags, files->fd[file][OPEN_RW],
		 0) != place)
		die("mmap");
}

void files_anchor(struct files *files)
{
	for (uint32_t i = 0; i < FILES; i++)
		file_anchor(files, i, MAP_FIXED_NOREPLACE);
}

/* What other processes have open, and what is mapped, is the old file. */
void step_replace(struct worker *w)
{
	uint32_t file = pick(w, STILL);

	report(&w->report, "replace file%u", file);
	if (w->program->odd_sizes) { /* of which the ends must be known */
		report(&w->report, " left out");
		return;
	}
	for (int i = 0; i < OPEN_MODES; i++)
		close(w->files.fd[file][i]);
	file_make(&w->files, w->program->directory, file, pick(w, 256));
	if (!w->program->known[KNOWN_UNANCHORED])
		file_anchor(&w->files, file, MAP_FIXED);
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
		report(r, "file%d:%s", descriptor->file, modes[descriptor->mode].name);
	else
		report(r, descriptor->fd == -1 ? "-1" : "other");
}

uint64_t file_bytes(struct worker *w, uint32_t file)
{
	struct stat st;

	return fstat(w->files.fd[file][OPEN_RW], &st) < 0 ? 0 : (uint64_t)st.st_size;
}

uint32_t file_tail(struct worker *w, const struct page *page)
{
	uint64_t size;

	if (page->kind != PAGE_FILE_SHARED || w->program->known[KNOWN_BEHIND_END])
		return PAGE;
	size = file_bytes(w, page->file);
	return size / PAGE == page->file_page && size % PAGE ? (uint32_t)(size % PAGE) : PAGE;
}

void file_settle(struct worker *w, uint32_t file)
{
	off_t size = (off_t)file_bytes(w, file), wanted = size;

	if (size % PAGE && !w->program->odd_sizes)
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

bool file_named(struct worker *w, uint32_t file, char *path)
{
	struct stat named, opened;

	file_path(path, w->program->directory, "link", file);
	return stat(path, &named) == 0 && fstat(w->files.fd[file][OPEN_RW], &opened) == 0 &&
	       named.st_ino == opened.st_ino;
}

void step_truncate(struct worker *w)
{
	struct descriptor descriptor = descriptor_pick(w, true);
	off_t size = (off_t)(chance(w, 70) ? 32 + pick(w, 64) : pick(w, 64)) * PAGE;
	bool named = chance(w, 25) && descriptor.file != STILL;
	char path[PATH_MAX];

	if (w->program->odd_sizes)
		size += pick(w, PAGE);
	if (chance(w, 5))
		size = -1;
	named = named && file_named(w, (uint32_t)descriptor.file, path);
	report(&w->report, named ? "truncate(" : "ftruncate(");
	report_descriptor(&w->report, &descriptor);
	report(&w->report, ", %lld) ", (long long)size);
	report_result(&w->report, named ? truncate(path, size) : ftruncate(descriptor.fd, size));
}

void step_allocate(struct worker *w)
{
	static const struct name names[] = {{0, "0"},
					    {FALLOC_FL_KEEP_SIZE, "KEEP_SIZE"},
					    {FALLOC_FL_PUNCH_HOLE, "PUNCH_HOLE"},
					    {FALLOC_FL_COLLAPSE_RANGE, "COLLAPSE_RANGE"},
					    {FALLOC_FL_ZERO_RANGE, "ZERO_RANGE"},
					    {FALLOC_FL_INSERT_RANGE, "INSERT_RANGE"}};
	static const int choices[] = {0,
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
	int mode = choices[pick(w, sizeof(choices) / sizeof(choices[0]))];
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
