/* SPDX-License-Identifier: MIT */
/* The socket that clients connect to. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "closing.h"
#include "filter.h"
#include "log.h"
#include "session.h"

/* A second process may not take all of the daemon's memory by connecting for ever. */
#define SESSIONS_MAX 65536u

/* How long nobody is accepted when descriptors or memory are short. */
#define RETRY_US 100000

/* ---- the lock ---------------------------------------------------------------------------- */

static void lock_name(char *name, size_t size, const char *path)
{
	snprintf(name, size, "%s.lock", path);
}

static void lock_write(int fd, const char *name)
{
	char pid[16];
	int length = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)length, 0) != length)
		fatal(EXIT_SOCKET, "%s: %s", name, strerror(errno));
}

static _Noreturn void lock_held(int fd, const char *path)
{
	char pid[16] = "";
	if (pread(fd, pid, sizeof pid - 1, 0) < 0)
		pid[0] = 0;
	pid[strspn(pid, "0123456789")] = 0;
	fatal(EXIT_RUNNING, "%s: already running (pid %s)", path, pid[0] ? pid : "unknown");
}

/* The lock, if the file is still the one of that name; -1 if its last holder has removed it. */
static int lock_try(const char *name, const char *path)
{
	struct stat ours, there;
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		fatal(EXIT_SOCKET, "%s: %s", name, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			fatal(EXIT_SOCKET, "%s: %s", name, strerror(errno));
		lock_held(fd, path);
	}
	if (!fstat(fd, &ours) && !stat(name, &there) && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino)
		return fd;
	close(fd);
	return -1;
}

static int lock_take(const char *path)
{
	char name[120];
	int fd;
	lock_name(name, sizeof name, path);
	do
		fd = lock_try(name, path);
	while (fd < 0);
	lock_write(fd, name);
	return fd;
}

/* ---- the socket -------------------------------------------------------------------------- */

static void socket_directory(const char *path)
{
	char directory[108];
	snprintf(directory, sizeof directory, "%s", path);
	char *slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return;
	*slash = 0;
	/* A umask may not keep the clients out: a socket's own mode says who may connect. */
	mode_t mask = umask(022);
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		fatal(EXIT_SOCKET, "%s: %s", directory, strerror(errno));
	umask(mask);
}

/* Not after all: say why, and leave nothing behind. */
static _Noreturn void give_up(const struct daemon *daemon, int status, const char *why)
{
	char name[120];
	lock_name(name, sizeof name, daemon->config.socket);
	unlink(name);
	fatal(status, "%s: %s", daemon->config.socket, why);
}

/* We hold the lock, but a program that knows no such lock may own a socket of that name. */
static void socket_test(const struct daemon *daemon, const struct sockaddr_un *address)
{
	struct ucred peer = {.pid = 0};
	socklen_t length = sizeof peer;
	char why[64];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		give_up(daemon, EXIT_SOCKET, strerror(errno));
	int error = connect(fd, (const struct sockaddr *)address, sizeof *address) ? errno : 0;
	switch (error) {
	case ECONNREFUSED:
	case ENOENT:
		break;
	case EPROTOTYPE:
		give_up(daemon, EXIT_SOCKET, "another program listens there");
	case 0:
	case EAGAIN: /* more are waiting than it takes */
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
		snprintf(why, sizeof why, "already running (pid %d)", (int)peer.pid);
		give_up(daemon, EXIT_RUNNING, why);
	default:
		give_up(daemon, EXIT_SOCKET, strerror(error));
	}
	close(fd);
}

void listener_open(struct daemon *daemon)
{
	const char *path = daemon->config.socket;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	memcpy(address.sun_path, path, strlen(path) + 1);
	socket_directory(path);
	daemon->lock_fd = lock_take(path);
	if (!lstat(path, &st) && !S_ISSOCK(st.st_mode))
		give_up(daemon, EXIT_SOCKET, "there is something that is no socket");
	socket_test(daemon, &address);
	unlink(path); /* left by one that has ended */
	daemon->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(daemon->config.private || geteuid() ? 0177 : 0111);
	if (daemon->listen_fd < 0 ||
	    bind(daemon->listen_fd, (struct sockaddr *)&address, sizeof address) < 0)
		give_up(daemon, EXIT_SOCKET, strerror(errno));
	umask(mask);
	/* Who can connect finds it. */
	daemon->filter = filter_make(path, !daemon->config.private && !geteuid());
	if (listen(daemon->listen_fd, SOMAXCONN) < 0) {
		int error = errno;
		filter_remove(path);
		give_up(daemon, EXIT_SOCKET, strerror(error));
	}
}

/* ---- connections ------------------------------------------------------------------------- */

static void spare_open(struct daemon *daemon)
{
	if (daemon->spare_fd < 0)
		daemon->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void retry_later(struct daemon *daemon)
{
	const struct timeval pause = {.tv_usec = RETRY_US};
	event_add(daemon->retry_event, &pause);
}

/* No descriptor is left to accept with: give up the spare one, turn the client away, wait. One
 * line in the log for each time that they are short. */
static void accept_refused(struct daemon *daemon, int error)
{
	if (!daemon->short_of_files)
		log_warn("cannot accept clients: %s", strerror(error));
	daemon->short_of_files = true;
	close(daemon->spare_fd);
	daemon->spare_fd = -1;
	int fd = accept4(daemon->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		session_refuse(daemon, fd);
	event_del(daemon->listen_event);
	retry_later(daemon);
}

/* Whoever was turned away may not be closed yet. The next is, too, only with the spare one back. */
static void on_retry(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;
	if (daemon->stopping)
		return;
	spare_open(daemon);
	if (daemon->spare_fd < 0)
		retry_later(daemon);
	else
		event_add(daemon->listen_event, NULL);
}

static void on_connection(evutil_socket_t listen_fd, short what, void *context)
{
	struct daemon *daemon = context;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			accept_refused(daemon, errno);
		return;
	}
	daemon->short_of_files = false;
	if (daemon->session_count + closings_count(daemon->closings) >= SESSIONS_MAX) {
		log_warn("more than %u sessions: one is turned away", SESSIONS_MAX);
		session_refuse(daemon, fd);
		return;
	}
	int error = session_create(daemon, fd, NULL, NULL);
	if (error)
		log_warn("cannot serve a client: %s", strerror(-error));
}

/* ---- life -------------------------------------------------------------------------------- */

int listener_start(struct daemon *daemon)
{
	daemon->spare_fd = -1;
	spare_open(daemon);
	daemon->retry_event = event_new(daemon->base, -1, 0, on_retry, daemon);
	daemon->listen_event = event_new(daemon->base, daemon->listen_fd, EV_READ | EV_PERSIST,
					 on_connection, daemon);
	if (!daemon->retry_event || !daemon->listen_event)
		return -ENOMEM;
	return event_add(daemon->listen_event, NULL) ? -ENOMEM : 0;
}

void listener_stop(struct daemon *daemon)
{
	event_del(daemon->listen_event);
	event_del(daemon->retry_event);
}

void listener_finish(struct daemon *daemon)
{
	char name[120];
	event_free(daemon->listen_event);
	event_free(daemon->retry_event);
	close(daemon->listen_fd);
	close(daemon->spare_fd);
	unlink(daemon->config.socket);
	filter_remove(daemon->config.socket);
	lock_name(name, sizeof name, daemon->config.socket);
	unlink(name); /* while we hold it: who has it open finds that it is gone, and begins anew */
	close(daemon->lock_fd);
}
