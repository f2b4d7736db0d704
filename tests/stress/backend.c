/* SPDX-License-Identifier: MIT */
/* Plain mmap, or the C API of libpagerd. */
#include "backend.h"

#include <errno.h>
#include <sys/mman.h>

#include "pagerd/pagerd.h"

static struct pagerd *connection;

static int result(int error)
{
	if (!error)
		return 0;
	errno = -error;
	return -1;
}

int backend_connect(void)
{
	return result(pagerd_connect(&connection, NULL));
}

void backend_disconnect(void)
{
	pagerd_disconnect(connection);
	connection = NULL;
}

void *backend_map(size_t bytes, int flags, int fd)
{
	int protection = PROT_READ | PROT_WRITE;
	int error = 0;
	void *memory;

	if (!connection)
		return mmap(NULL, bytes, protection, flags, fd, 0);
	memory = pagerd_map(connection, NULL, bytes, protection, flags, fd, 0, &error);
	if (memory)
		return memory;
	errno = -error;
	return MAP_FAILED;
}

int backend_unmap(void *memory, size_t bytes)
{
	if (!connection)
		return munmap(memory, bytes);
	return result(pagerd_unmap(connection, memory, bytes));
}

int backend_sync(void *memory, size_t bytes)
{
	if (!connection)
		return msync(memory, bytes, MS_SYNC);
	return result(pagerd_sync(connection, memory, bytes, MS_SYNC));
}

int backend_discard(void *memory, size_t bytes)
{
	if (!connection)
		return madvise(memory, bytes, MADV_DONTNEED);
	return result(pagerd_advise(connection, memory, bytes, MADV_DONTNEED));
}
