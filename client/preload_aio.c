/* SPDX-License-Identifier: MIT */
/*
 * Wrappers of aio(7). The C library's threads read and write with system calls of their own, which
 * nobody sees: what a device writes to memory may be lost with an evicted page, and mappings of the
 * file are not looked at. So there is none (ENOSYS) for reads with O_DIRECT into paged memory, and
 * for files that are mapped here.
 */
#undef _FILE_OFFSET_BITS

#include <aio.h>
#include <errno.h>

#include "coherent.h"
#include "preload.h"

/* Where off_t has 64 bits struct aiocb64 is struct aiocb. */
typedef int submit_call(struct aiocb *control);
typedef int list_call(int mode, struct aiocb *const *list, int count, struct sigevent *event);
typedef int sync_call(int operation, struct aiocb *control);

PRELOAD_NEXT(aio_read);
PRELOAD_NEXT(aio_write);
PRELOAD_NEXT(lio_listio);
PRELOAD_NEXT(aio_fsync);

static bool refused(const struct aiocb *control, int operation)
{
	struct stat st;
	struct iovec one = {(void *)control->aio_buf, control->aio_nbytes};
	struct file_call call = {
		.fd = control->aio_fildes,
		.vector = &one,
		.count = 1,
		.write = operation == LIO_WRITE,
	};
	return operation != LIO_NOP && (file_mapped_here(call.fd, &st) || file_reads_direct(&call));
}

static int refuse(void)
{
	if (preload.verbose)
		sys_complain("pagerd: aio is refused: what it transfers might be lost\n");
	return (int)preload_result(-ENOSYS);
}

/* For programs that look at nothing else. */
static void refuse_one(struct aiocb *control)
{
	control->__error_code = ENOSYS;
	control->__return_value = -1;
}

static int submit(struct aiocb *control, int operation, submit_call *next)
{
	if (next && !refused(control, operation))
		return next(control);
	refuse_one(control);
	return refuse();
}

EXPORT int aio_read(struct aiocb *control)
{
	return submit(control, LIO_READ, NEXT(aio_read));
}

EXPORT int aio_read64(struct aiocb64 *control)
{
	return submit((struct aiocb *)control, LIO_READ, NEXT(aio_read));
}

EXPORT int aio_write(struct aiocb *control)
{
	return submit(control, LIO_WRITE, NEXT(aio_write));
}

EXPORT int aio_write64(struct aiocb64 *control)
{
	return submit((struct aiocb *)control, LIO_WRITE, NEXT(aio_write));
}

static int submit_list(int mode, struct aiocb *const *list, int count, struct sigevent *event)
{
	list_call *next = (list_call *)NEXT(lio_listio);
	bool none = !next;
	for (int i = 0; i < count && !none; i++)
		none = list[i] && refused(list[i], list[i]->aio_lio_opcode);
	if (!none)
		return next(mode, list, count, event);
	for (int i = 0; i < count; i++)
		if (list[i])
			refuse_one(list[i]);
	return refuse();
}

EXPORT int lio_listio(int mode, struct aiocb *const *restrict list, int count,
		      struct sigevent *restrict event)
{
	return submit_list(mode, list, count, event);
}

EXPORT int lio_listio64(int mode, struct aiocb64 *const *restrict list, int count,
			struct sigevent *restrict event)
{
	return submit_list(mode, (struct aiocb *const *)list, count, event);
}

/* As fsync(2): what was stored through mappings must be in the file before. */
static int submit_sync(int operation, struct aiocb *control)
{
	sync_call *next = (sync_call *)NEXT(aio_fsync);
	struct stat st;
	if (!next)
		return refuse();
	if (file_mapped(control->aio_fildes, &st))
		file_settle(control->aio_fildes, &st, 0, 0);
	return next(operation, control);
}

EXPORT int aio_fsync(int operation, struct aiocb *control)
{
	return submit_sync(operation, control);
}

EXPORT int aio_fsync64(int operation, struct aiocb64 *control)
{
	return submit_sync(operation, (struct aiocb *)control);
}
