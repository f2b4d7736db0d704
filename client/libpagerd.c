/* SPDX-License-Identifier: MIT */
/* The public C API: see <pagerd/pagerd.h>. */
#include "pagerd/pagerd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "agent.h"
#include "choose.h"
#include "paged.h"
#include "self.h"
#include "socket.h"
#include "sys.h"

#define API __attribute__((visibility("default")))

struct pagerd {
	pthread_mutex_t mutex;
	struct self owner; /* a child of fork has no session */
	struct paged paged;
};

/* The process's one set of agents, which mapping may start and disconnecting may stop, whichever
 * connection they are of. */
static pthread_mutex_t agent_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t agent_once = PTHREAD_ONCE_INIT;

static void agent_take(void)
{
	pthread_mutex_lock(&agent_mutex);
}

static void agent_leave(void)
{
	pthread_mutex_unlock(&agent_mutex);
}

/* A child may connect, whatever the parent's other threads were about. */
static void agent_survive_fork(void)
{
	pthread_atfork(agent_take, agent_leave, agent_leave);
}

API int pagerd_connect(struct pagerd **connection, const char *socket_path)
{
	int saved = errno;
	pthread_once(&agent_once, agent_survive_fork);
	struct pagerd *made = calloc(1, sizeof(*made));
	errno = saved;
	if (!made)
		return -ENOMEM;
	char room[SOCKET_PATH_MAX];
	int result = session_connect(&made->paged.session, socket_choose(socket_path, room));
	if (result < 0) {
		free(made);
		return result;
	}
	pthread_mutex_init(&made->mutex, NULL);
	made->owner = self_now();
	*connection = made;
	return 0;
}

API void pagerd_disconnect(struct pagerd *connection)
{
	if (!connection)
		return;
	struct regions *regions = &connection->paged.regions;
	bool own = self_is(&connection->owner);
	while (own && regions->count > 0) {
		struct region last = regions->entries[regions->count - 1];
		if (paged_munmap(&connection->paged, last.start, last.end - last.start) < 0)
			break;
	}
	agent_take();
	agent_stop(&connection->paged.session);
	agent_leave();
	session_finish(&connection->paged.session);
	regions_finish(regions);
	pthread_mutex_destroy(&connection->mutex);
	free(connection);
}

/* Take the connection; -ENOTCONN in a child of fork. */
static int pagerd_enter(struct pagerd *connection)
{
	if (!self_is(&connection->owner))
		return -ENOTCONN;
	pthread_mutex_lock(&connection->mutex);
	return 0;
}

static int pagerd_leave(struct pagerd *connection, int result)
{
	pthread_mutex_unlock(&connection->mutex);
	return result;
}

static long pagerd_place(struct pagerd *connection, const struct mapping *mapping)
{
	long address = pagerd_enter(connection);
	if (address < 0)
		return address;
	int refused = 0;
	agent_take();
	address = paged_mmap(&connection->paged, mapping, &refused);
	agent_leave();
	if (address >= 0 && refused < 0) {
		sys_munmap((uint64_t)address, mapping->length);
		address = refused;
	}
	pagerd_leave(connection, 0);
	return address;
}

API void *pagerd_map(struct pagerd *connection, void *address, size_t length, int protection,
		     int flags, int fd, off_t offset, int *error)
{
	struct mapping mapping = {
		.address = (uint64_t)address,
		.length = length,
		.protection = protection,
		.flags = flags,
		.fd = fd,
		.offset = (uint64_t)offset,
	};
	const struct choice everything = {
		.min_bytes = 1,
		.min_file_bytes = 1,
		.not_served = !connection->paged.session.served,
	};
	mapping.kind = choose_kind(&everything, &mapping);
	long place;
	/* Private pages of files need agents: a process has one set, but any number of connections.
	 */
	if (mapping.kind != 0 && mapping.kind != PAGERD_FILE_PRIVATE)
		place = pagerd_place(connection, &mapping);
	else
		place = choose_error(&mapping);
	if (place >= 0)
		return (void *)place;
	if (error)
		*error = (int)place;
	return NULL;
}

/* Calls on a range that must hold something paged. Of what is no range, or empty, the kernel says
 * what comes of it. */
static int pagerd_range(struct pagerd *connection, const void *address, size_t length)
{
	int result = pagerd_enter(connection);
	if (result < 0)
		return result;
	uint64_t start = (uint64_t)address;
	if (range_valid(start, length) &&
	    !regions_overlap(&connection->paged.regions, start, start + page_round_up(length)))
		return pagerd_leave(connection, -ENOMEM);
	return 0;
}

API int pagerd_unmap(struct pagerd *connection, void *address, size_t length)
{
	int result = pagerd_enter(connection);
	if (result < 0)
		return result;
	result = paged_munmap(&connection->paged, (uint64_t)address, length);
	if (result == 0 && connection->paged.orphaned)
		result = -ENOTCONN;
	return pagerd_leave(connection, result);
}

API int pagerd_sync(struct pagerd *connection, void *address, size_t length, int flags)
{
	int result = pagerd_range(connection, address, length);
	if (result < 0)
		return result;
	result = paged_msync(&connection->paged, (uint64_t)address, length, flags);
	return pagerd_leave(connection, result);
}

API int pagerd_advise(struct pagerd *connection, void *address, size_t length, int advice)
{
	int result = pagerd_range(connection, address, length);
	if (result < 0)
		return result;
	result = paged_madvise(&connection->paged, (uint64_t)address, length, advice);
	return pagerd_leave(connection, result);
}

API int pagerd_set(struct pagerd *connection, const void *address, const char *settings)
{
	int result = pagerd_enter(connection);
	if (result < 0)
		return result;
	if (!settings)
		return pagerd_leave(connection, -EINVAL);
	uint64_t at = (uint64_t)address;
	if (at && !regions_lookup(&connection->paged.regions, at))
		return pagerd_leave(connection, -ENOMEM);
	result = session_set(&connection->paged.session, at, settings, NULL, 0);
	return pagerd_leave(connection, result == -ENOENT ? -EPERM : result);
}

API int pagerd_statistics(struct pagerd *connection, struct pagerd_stats *stats)
{
	int result = pagerd_enter(connection);
	if (result < 0)
		return result;
	result = session_stats(&connection->paged.session, stats);
	return pagerd_leave(connection, result);
}
