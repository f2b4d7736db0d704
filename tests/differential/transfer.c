/* SPDX-License-Identifier: MIT */
/* read and write and their family, with buffers in the areas: paged, unmapped, or both. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "worker.h"

#define BUFFERS 3
#define SECTOR	512

struct transfer {
	bool writes;
	bool positioned;
	bool vectored;
	bool second; /* preadv2, pwritev2 */
	int flags;   /* of those */
	struct descriptor descriptor;
	off_t position;
	int count;
	struct iovec vector[BUFFERS];
};

/* As long as it can be without what is behind the end of a file. */
static void buffer_cut(struct worker *w, struct iovec *buffer)
{
	uint64_t skip = (uint64_t)buffer->iov_base % PAGE;
	struct range range;

	if (!range_find(&w->space, buffer->iov_base, buffer->iov_len + skip, &range))
		return;
	for (uint32_t i = 0; i < range.pages; i++) {
		uint32_t tail = file_tail(w, &range_pages(&range)[i]);
		uint64_t end = (uint64_t)i * PAGE + tail;

		if (tail == PAGE || end >= skip + buffer->iov_len)
			continue;
		buffer->iov_len = end > skip ? end - skip : 0;
		return;
	}
}

struct iovec pick_buffer(struct worker *w)
{
	struct range range = pick_range(w);
	struct iovec buffer = {range_address(&range), (size_t)range.pages * PAGE};
	uint32_t skip = chance(w, 50) ? pick(w, PAGE) : 0;

	buffer.iov_base = (char *)buffer.iov_base + skip;
	buffer.iov_len -= skip;
	if (chance(w, 40))
		buffer.iov_len = 1 + pick(w, (uint32_t)buffer.iov_len);
	buffer_cut(w, &buffer);
	return buffer;
}

static size_t transfer_bytes(const struct transfer *t)
{
	size_t bytes = 0;

	for (int i = 0; i < t->count; i++)
		bytes += t->vector[i].iov_len;
	return bytes;
}

/* Where in the file the call is going to work. */
static uint64_t transfer_start(const struct transfer *t)
{
	bool own = !t->positioned || (t->second && t->position == -1);

	return (uint64_t)(own ? lseek(t->descriptor.fd, 0, SEEK_CUR) : t->position);
}

static bool transfer_appends(const struct transfer *t)
{
	return t->writes && (t->descriptor.mode == OPEN_APPEND || (t->flags & RWF_APPEND));
}

/* Where it is going to end, if all of the memory is there. */
static uint64_t transfer_end(struct worker *w, const struct transfer *t)
{
	return transfer_bytes(t) + (transfer_appends(t)
					    ? file_bytes(w, (uint32_t)t->descriptor.file)
					    : transfer_start(t));
}

/* Whether the buffer maps pages of the file that the call works on; for writing: any. */
static bool buffer_aliases(struct worker *w, const struct transfer *t, const struct iovec *buffer)
{
	uint64_t first = transfer_start(t) / PAGE;
	uint64_t last = first + transfer_bytes(t) / PAGE + 1;
	uint64_t end = file_bytes(w, (uint32_t)t->descriptor.file) / PAGE;
	bool any = transfer_appends(t);
	struct range range;

	if (t->writes && first > end)
		first = end; /* the pages that it makes the file longer by are there as it goes */
	if (!range_find(&w->space, buffer->iov_base, buffer->iov_len + PAGE, &range))
		return false;
	for (uint32_t i = 0; i < range.pages; i++) {
		const struct page *page = &range_pages(&range)[i];

		if ((page->kind == PAGE_FILE_SHARED || page->kind == PAGE_FILE_PRIVATE) &&
		    page->file == t->descriptor.file &&
		    (any || (page->file_page >= first && page->file_page <= last)))
			return true;
	}
	return false;
}

static bool transfer_aliases(struct worker *w, const struct transfer *t)
{
	for (int i = 0; i < t->count; i++) {
		if (buffer_aliases(w, t, &t->vector[i]))
			return true;
	}
	return false;
}

static bool transfer_left_out(struct worker *w, const struct transfer *t)
{
	return !w->program->known[KNOWN_ALIAS] && transfer_aliases(w, t);
}

static long transfer_vector(struct worker *w, const struct transfer *t)
{
	const struct iovec *vector = t->vector;
	int count = t->count, fd = t->descriptor.fd;

	if (chance(w, 10))
		vector = (const struct iovec *)(ARENA - PAGE);
	if (chance(w, 3))
		count = chance(w, 50) ? IOV_MAX + 1 : -1;
	report(&w->report, "%s%s", vector == t->vector ? "" : " bad vector",
	       count == t->count ? "" : " bad count");
	if (count > t->count)
		vector = t->vector; /* the library must not look beyond what is there */
	if (t->second)
		return t->writes ? pwritev2(fd, vector, count, t->position, t->flags)
				 : preadv2(fd, vector, count, t->position, t->flags);
	if (t->positioned)
		return t->writes ? pwritev(fd, vector, count, t->position)
				 : preadv(fd, vector, count, t->position);
	return t->writes ? writev(fd, vector, count) : readv(fd, vector, count);
}

static long transfer_plain(const struct transfer *t)
{
	void *at = t->vector[0].iov_base;
	size_t bytes = t->vector[0].iov_len;
	int fd = t->descriptor.fd;

	if (t->positioned)
		return t->writes ? pwrite(fd, at, bytes, t->position)
				 : pread(fd, at, bytes, t->position);
	return t->writes ? write(fd, at, bytes) : read(fd, at, bytes);
}

static void report_buffers(struct worker *w, const struct iovec *vector, int count)
{
	for (int i = 0; i < count; i++) {
		report(&w->report, ", ");
		report_address(&w->report, &w->space, vector[i].iov_base);
		report(&w->report, " %zu", vector[i].iov_len);
	}
}

static void report_transfer(struct worker *w, const struct transfer *t)
{
	report(&w->report, "%s%s%s%s(", t->positioned ? "p" : "", t->writes ? "write" : "read",
	       t->vectored ? "v" : "", t->second ? "2" : "");
	report_descriptor(&w->report, &t->descriptor);
	report_buffers(w, t->vector, t->count);
	if (t->positioned)
		report(&w->report, ", at %lld", (long long)t->position);
	if (t->second)
		report(&w->report, ", flags %#x", (unsigned)t->flags);
	report(&w->report, ") ");
}

static void transfer_second(struct worker *w, struct transfer *t)
{
	static const int flags[] = {0, RWF_HIPRI, RWF_SYNC, RWF_DSYNC, RWF_APPEND, 1 << 20};

	t->second = t->positioned && t->vectored && chance(w, 40);
	if (!t->second)
		return;
	t->flags = flags[pick(w, sizeof(flags) / sizeof(flags[0]))];
	if (chance(w, 20))
		t->position = -1; /* the descriptor's own */
}

void report_filled(struct worker *w, const struct iovec *vector, int count)
{
	struct range range;

	report(&w->report, ":");
	for (int i = 0; i < count; i++) {
		if (range_find(&w->space, vector[i].iov_base, vector[i].iov_len, &range))
			touch_load(w, &range);
	}
}

/* A write that was cut short by memory that is not there, and was to make the file longer: ext4
 * keeps the blocks for the rest reserved behind the file's end, forgets their pages when the file
 * is made longer to somewhere between them, and answers EIO for ever after to reads of them with
 * O_DIRECT ("Direct I/O collision with buffered writes!"). Truncating to the end gives them up. */
static void transfer_trim(struct worker *w, const struct transfer *t, uint64_t end)
{
	uint64_t size = file_bytes(w, (uint32_t)t->descriptor.file);

	if (end <= size)
		return;
	report(&w->report, ", trim ");
	report_result(&w->report, ftruncate(w->files.fd[t->descriptor.file][OPEN_RW], (off_t)size));
}

void step_transfer(struct worker *w)
{
	struct transfer t = {
		.writes = chance(w, 50), .positioned = chance(w, 60), .vectored = chance(w, 40)};
	uint64_t end;
	long result;
	bool cut;

	t.descriptor = descriptor_pick(w, t.writes);
	t.count = t.vectored ? (int)pick(w, BUFFERS + 1) : 1;
	for (int i = 0; i < t.count; i++)
		t.vector[i] = pick_buffer(w);
	t.position = (off_t)pick(w, 72) * PAGE + (chance(w, 50) ? pick(w, PAGE) : 0);
	if (chance(w, 3))
		t.position = -1;
	transfer_second(w, &t);
	report_transfer(w, &t);
	if (transfer_left_out(w, &t)) {
		report(&w->report, "left out");
		return;
	}
	end = transfer_end(w, &t);
	result = t.vectored ? transfer_vector(w, &t) : transfer_plain(&t);
	cut = result < 0 ? errno == EFAULT : (uint64_t)result < transfer_bytes(&t);
	report_result(&w->report, result);
	if (t.writes && cut)
		transfer_trim(w, &t, end);
	if (t.writes)
		file_settle(w, (uint32_t)t.descriptor.file);
	else
		report_filled(w, t.vector, t.count);
}

/* Whether the kernel can give all of it to a device, to the byte the same with every file system.
 * Not what can be written and not read, as mprotect(2) allows: the kernel refuses it only while it
 * is not in the page table, and what is there depends on who pages it. */
static bool range_whole(const struct range *range)
{
	for (uint32_t i = 0; i < range->pages; i++) {
		const struct page *page = &range_pages(range)[i];

		if ((page->kind != PAGE_PRIVATE && page->kind != PAGE_SHARED) ||
		    page->protection != (PROT_READ | PROT_WRITE))
			return false;
	}
	return true;
}

/* Up to the end of the file: from there on file systems fill what is left with zeros, or do not. */
static void direct_shorten(struct worker *w, struct transfer *t)
{
	uint64_t bytes = file_bytes(w, (uint32_t)t->descriptor.file);
	uint64_t size = bytes / SECTOR * SECTOR;
	uint64_t start = (uint64_t)t->position;

	if (start < size && size - start < t->vector[0].iov_len)
		t->vector[0].iov_len = size - start;
	else if (start >= size && start < bytes)
		t->position = (off_t)(size + SECTOR); /* of the last sector it would be all */
}

/* With O_DIRECT: whole sectors, from and to what can be read and written. */
void step_direct(struct worker *w)
{
	struct range range = pick_range(w);
	struct transfer t = {
		.writes = chance(w, 40),
		.positioned = true,
		.count = 1,
		.descriptor = {.file = (int)pick(w, FILES), .mode = OPEN_DIRECT},
		.position = (off_t)pick(w, 72 * PAGE / SECTOR) * SECTOR,
		.vector = {{range_address(&range), (uint64_t)range.pages * PAGE}},
	};

	t.writes = t.writes && t.descriptor.file != STILL;
	t.descriptor.fd = w->files.fd[t.descriptor.file][OPEN_DIRECT];
	if (chance(w, 50)) {
		uint32_t skip = pick(w, PAGE / SECTOR) * SECTOR;

		t.vector[0].iov_base = range_address(&range) + skip;
		t.vector[0].iov_len -= skip;
	}
	if (!t.writes)
		direct_shorten(w, &t);
	report_transfer(w, &t);
	/* Which of two places of one page is written last is the device's affair. */
	if (!range_whole(&range) || (!t.writes && !range_private(&range))) {
		report(&w->report, "left out");
		return;
	}
	report_result(&w->report, transfer_plain(&t));
	if (t.writes)
		file_settle(w, (uint32_t)t.descriptor.file);
	else
		report_filled(w, t.vector, t.count);
}

/* Through a pipe the kernel copies memory outside any file. */
void step_pipe(struct worker *w)
{
	static char drain[65536];
	struct iovec from[2] = {pick_buffer(w), pick_buffer(w)}, to = pick_buffer(w);
	long rest, got;

	for (int i = 0; i < 2; i++) {
		if (from[i].iov_len > 7 * PAGE)
			from[i].iov_len = 7 * PAGE;
	}
	report(&w->report, "pipe(");
	report_buffers(w, from, 2);
	report(&w->report, ") ");
	rest = writev(w->files.pipe[1], from, 2);
	report_result(&w->report, rest);
	report_buffers(w, &to, 1);
	report(&w->report, " ");
	got = read(w->files.pipe[0], to.iov_base, to.iov_len);
	report_result(&w->report, got);
	report_filled(w, &to, 1);
	while (read(w->files.pipe[0], drain, sizeof(drain)) > 0)
		;
}
