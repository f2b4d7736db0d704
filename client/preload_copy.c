/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls by which the kernel copies from file to file, or to a pipe. */
#undef _FILE_OFFSET_BITS

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#include "coherent.h"
#include "filter.h"
#include "preload.h"

/* The position at offset; -1, the descriptor's own, if there is none. False if it cannot be read.
 */
static bool position_at(const off64_t *offset, int64_t *position)
{
	*position = -1;
	return !offset || peek(position, offset, sizeof(*position)) == sizeof(*position);
}

/* What is to be read from fd. */
static void source_settle(int fd, int64_t position, size_t bytes)
{
	struct stat st;
	struct file_call source = {.fd = fd, .position = position};
	if (file_mapped(fd, &st))
		file_settle(fd, &st, file_position(&source, &st), bytes);
}

/* The call, which writes from its position on, to a file that st is of. */
static long target_write(struct file_call *call, const struct stat *st)
{
	call->status = st;
	call->offset = file_position(call, st);
	if (call->offset > (uint64_t)st->st_size)
		call->offset = (uint64_t)st->st_size;
	return preload_result(file_coherent(call));
}

static ssize_t file_to_file(struct file_call *call, int from, const off64_t *from_offset,
			    const off64_t *to_offset, size_t bytes)
{
	struct stat st;
	int64_t position;
	if (file_none() || !bytes || !position_at(from_offset, &position) ||
	    !position_at(to_offset, &call->position))
		return file_unmapped(call, file_plain(call));
	source_settle(from, position, bytes);
	return file_mapped(call->fd, &st) ? target_write(call, &st)
					  : file_unmapped(call, file_plain(call));
}

EXPORT ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset,
			       size_t bytes, unsigned flags)
{
	struct file_call call = {
		.number = SYS_copy_file_range,
		.arguments = {from, (long)from_offset, to, (long)to_offset, (long)bytes, flags},
		.fd = to,
		.write = true,
		.all = filter_all(),
	};
	return file_to_file(&call, from, from_offset, to_offset, bytes);
}

EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t bytes)
{
	struct file_call call = {
		.number = SYS_sendfile,
		.arguments = {to, from, (long)offset, (long)bytes},
		.fd = to,
		.write = true,
		.all = filter_all(),
	};
	return file_to_file(&call, from, offset, NULL, bytes);
}

EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t bytes)
	__attribute__((alias("sendfile")));

/* What it writes to a file may wait for the pipe, and nobody is to wait for that: mappings of that
 * file are not looked after. */
EXPORT ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t bytes,
		      unsigned flags)
{
	struct file_call call = {
		.number = SYS_splice,
		.arguments = {from, (long)from_offset, to, (long)to_offset, (long)bytes, flags},
	};
	int64_t position;
	if (!file_none() && bytes && position_at(from_offset, &position))
		source_settle(from, position, bytes);
	return preload_result(file_plain(&call));
}

/* Not a cancellation point. */
int file_clone(int fd, unsigned long request, const void *argument)
{
	struct file_clone_range range = {.src_fd = (long)argument};
	struct stat st;
	struct file_call call = {
		.number = SYS_ioctl,
		.arguments = {fd, (long)request, (long)argument},
		.fd = fd,
		.write = true,
		.all = filter_all(),
	};
	if (file_none() ||
	    (request == FICLONERANGE && peek(&range, argument, sizeof(range)) != sizeof(range)))
		return (int)file_unmapped(&call, file_system_call(&call));
	call.position = (int64_t)range.dest_offset;
	source_settle((int)range.src_fd, (int64_t)range.src_offset, range.src_length);
	return (int)(file_mapped(fd, &st) ? target_write(&call, &st)
					  : file_unmapped(&call, file_system_call(&call)));
}
