/* SPDX-License-Identifier: MIT */
/* From file to file, and to a pipe, in the kernel. */
#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "worker.h"

struct copy {
	struct descriptor from;
	struct descriptor to; /* file -1: the pipe */
	off_t from_at;
	off_t to_at;
	off_t *from_offset; /* to from_at, or NULL, or nothing that can be read */
	off_t *to_offset;
	size_t bytes;
	bool sends;
};

static off_t *copy_offset(struct worker *w, off_t *at)
{
	uint32_t how = pick(w, 100);

	*at = (off_t)pick(w, 70) * PAGE + (chance(w, 50) ? pick(w, PAGE) : 0);
	if (chance(w, 3))
		*at = -1;
	return how < 60 ? at : how < 97 ? NULL : (off_t *)(ARENA - PAGE);
}

static void report_offset(struct worker *w, const off_t *offset, const off_t *at)
{
	if (offset == at)
		report(&w->report, " at %lld", (long long)*at);
	else
		report(&w->report, offset ? " at bad" : "");
}

static void report_copy(struct worker *w, const struct copy *copy)
{
	report(&w->report, copy->sends ? "sendfile(" : "copy_file_range(");
	report_descriptor(&w->report, &copy->from);
	report_offset(w, copy->from_offset, &copy->from_at);
	report(&w->report, " to ");
	if (copy->to.file < 0)
		report(&w->report, "pipe");
	else
		report_descriptor(&w->report, &copy->to);
	report_offset(w, copy->to_offset, &copy->to_at);
	report(&w->report, ", %zu) ", copy->bytes);
}

/* What has come out of the pipe. */
static void drain(struct worker *w)
{
	static unsigned char bytes[65536];
	uint64_t hash = 0;
	ssize_t got;

	while ((got = read(w->files.pipe[0], bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++)
			hash = (hash ^ bytes[i]) * 0x100000001b3u;
	}
	report(&w->report, ": %016llx", (unsigned long long)hash);
}

static void copy_do(struct worker *w, struct copy *copy)
{
	report_copy(w, copy);
	if (copy->sends)
		report_result(&w->report,
			      sendfile(copy->to.fd, copy->from.fd, copy->from_offset, copy->bytes));
	else
		report_result(&w->report,
			      copy_file_range(copy->from.fd, copy->from_offset, copy->to.fd,
					      copy->to_offset, copy->bytes, 0));
	report_offset(w, copy->from_offset, &copy->from_at);
	report_offset(w, copy->to_offset, &copy->to_at);
	if (copy->to.file < 0)
		drain(w);
	else
		file_settle(w, (uint32_t)copy->to.file);
}

void step_copy(struct worker *w)
{
	struct copy copy = {
		.from = descriptor_pick(w, false),
		.to = descriptor_pick(w, true),
		.bytes = chance(w, 50) ? (size_t)pick(w, 16) * PAGE : pick(w, 16 * PAGE),
		.sends = chance(w, 50),
	};

	copy.from_offset = copy_offset(w, &copy.from_at);
	if (!copy.sends)
		copy.to_offset = copy_offset(w, &copy.to_at);
	else if (chance(w, 40))
		copy.to = (struct descriptor){.fd = w->files.pipe[1], .file = -1};
	copy_do(w, &copy);
}
