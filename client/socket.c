/* SPDX-License-Identifier: MIT */
/* Which socket a client connects to. The daemon's half of this is in daemon/config.c. */
#include "socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys.h"
#include "wire.h"

#define SOCKET_SERVICE "/run/pagerd/pagerd.sock"

/* What the environment says, where it says something. */
static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* A daemon has all memory of its clients in its hands: it must be the user's own. */
static bool own_daemon_answers(const char *path)
{
	struct ucred peer = {.uid = (uid_t)-1};
	uint32_t bytes = sizeof(peer);
	int fd = wire_connect(path);
	if (fd < 0)
		return false;
	int result = sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
	sys_close(fd);
	return result == 0 && peer.uid == geteuid();
}

/* Root's daemon is the machine's; and after su(1) the variable may still be another user's. */
static bool socket_of_user(char room[SOCKET_PATH_MAX])
{
	const char *runtime = environment("XDG_RUNTIME_DIR");
	if (geteuid() == 0 || !runtime)
		return false;
	int saved = errno;
	int length = snprintf(room, SOCKET_PATH_MAX, "%s/pagerd.sock", runtime);
	errno = saved;
	return length > 0 && length < SOCKET_PATH_MAX && own_daemon_answers(room);
}

const char *socket_choose(const char *path, char room[SOCKET_PATH_MAX])
{
	if (path && *path)
		return path;
	path = environment("PAGERD_SOCKET");
	if (path)
		return path;
	return socket_of_user(room) ? room : SOCKET_SERVICE;
}
