/* SPDX-License-Identifier: MIT */
/* pagerd: start-up, the main loop, the end. */
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "daemon.h"
#include "log.h"
#include "session.h"

/* A second process may not take all of the daemon's memory by connecting for ever. */
#define SESSIONS_MAX 65536u

/* ---- the end ----------------------------------------------------------------------------- */

static void stopped(struct job *job)
{
	struct daemon *daemon = job->owner;
	event_base_loopbreak(daemon->base);
}

void daemon_stop(struct daemon *daemon)
{
	if (daemon->stopping)
		return;
	daemon->stopping = true;
	event_del(daemon->listen_event);
	daemon->stop_job = (struct job){
		.request = {.type = PAGER_STOP, .fd = -1},
		.complete = stopped,
		.owner = daemon,
	};
	bridge_post(&daemon->bridge, &daemon->stop_job);
}

void daemon_check_end(struct daemon *daemon)
{
	if (daemon->orphaned && !daemon->sessions)
		daemon_stop(daemon);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	log_debug("signal %d: ending", (int)number);
	daemon_stop(context);
}

static void on_lifeline(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;
	char byte;
	if (read(fd, &byte, 1) > 0)
		return;
	daemon->orphaned = true;
	close(fd);
	daemon->config.lifeline_fd = -1;
	daemon_check_end(daemon);
}

/* ---- connections ------------------------------------------------------------------------- */

/* No descriptor is left to accept with: give up the spare one, turn the client away, wait. */
static void accept_refused(struct daemon *daemon, int error)
{
	struct timeval pause = {.tv_usec = 100000};
	log_warn("cannot accept a client: %s", strerror(error));
	close(daemon->spare_fd);
	int fd = accept4(daemon->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	daemon->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	event_del(daemon->listen_event);
	event_add(daemon->retry_event, &pause);
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;
	if (!daemon->stopping)
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
	if (daemon->session_count >= SESSIONS_MAX) {
		log_warn("more than %u sessions: one is turned away", SESSIONS_MAX);
		close(fd);
		return;
	}
	int error = session_create(daemon, fd, NULL);
	if (error)
		log_warn("cannot serve a client: %s", strerror(-error));
}

/* ---- the socket -------------------------------------------------------------------------- */

static void socket_name(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, strlen(path) + 1);
}

static void socket_directory(const char *path)
{
	char directory[108];
	snprintf(directory, sizeof directory, "%s", path);
	char *slash = strrchr(directory, '/');
	if (!slash || slash == directory)
		return;
	*slash = 0;
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		fatal(EXIT_SOCKET, "%s: %s", directory, strerror(errno));
}

/* Held as long as the daemon lives, so that of two that start at once one is the second. The
 * file stays: removing it would let a third lock another. */
static int socket_lock(const char *path)
{
	char name[120];
	snprintf(name, sizeof name, "%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		fatal(EXIT_SOCKET, "%s: %s", name, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		char pid[16] = "?";
		if (pread(fd, pid, sizeof pid - 1, 0) < 0)
			pid[0] = '?';
		pid[strcspn(pid, "\n")] = 0;
		fatal(EXIT_RUNNING, "already running on %s (pid %s)", path, pid);
	}
	char pid[16];
	int length = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)length, 0) != length)
		fatal(EXIT_SOCKET, "%s: %s", name, strerror(errno));
	return fd;
}

static void socket_listen(struct daemon *daemon)
{
	const char *path = daemon->config.socket;
	struct sockaddr_un address;
	struct stat st;
	socket_directory(path);
	daemon->lock_fd = socket_lock(path);
	if (!lstat(path, &st) && !S_ISSOCK(st.st_mode))
		fatal(EXIT_SOCKET, "%s: there is something that is no socket", path);
	unlink(path); /* left by one that has ended: we hold its lock */
	daemon->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socket_name(&address, path);
	mode_t mask = umask(daemon->config.private || geteuid() ? 0177 : 0111);
	if (daemon->listen_fd < 0 ||
	    bind(daemon->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(daemon->listen_fd, SOMAXCONN) < 0)
		fatal(EXIT_SOCKET, "%s: %s", path, strerror(errno));
	umask(mask);
}

/* ---- rights ------------------------------------------------------------------------------ */

static void raise_files(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	struct rlimit most = {1 << 20, 1 << 20};
	if (limit.rlim_max >= most.rlim_max || setrlimit(RLIMIT_NOFILE, &most) < 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	/* memfds are larger than any file: a limit on file sizes would end the daemon. */
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_FSIZE, &unlimited);
	signal(SIGXFSZ, SIG_IGN);
}

/*
 * Of root's capabilities keep two. CAP_SYS_PTRACE: UFFDIO_API grants the fork event on the
 * daemon's rights. CAP_DAC_OVERRIDE: files that clients pass are opened once more through
 * /proc/self/fd, with no more rights than the descriptor has, to get O_DIRECT. CAP_IPC_LOCK: the
 * registered I/O buffers are not charged to RLIMIT_MEMLOCK.
 */
static void drop_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint32_t keep = 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_OVERRIDE | 1u << CAP_IPC_LOCK;
	if (geteuid() || syscall(SYS_capget, &header, data) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		uint32_t kept = data[i].permitted & (i ? 0 : keep);
		data[i].effective = data[i].permitted = kept;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0)
		log_warn("cannot drop capabilities: %s", strerror(errno));
}

/* ---- start-up ---------------------------------------------------------------------------- */

static int swap_directory(const struct config *config)
{
	if (!strcmp(config->swap, "/var/lib/pagerd") && mkdir(config->swap, 0700) < 0 &&
	    errno != EEXIST)
		fatal(EXIT_SWAP, "swap: %s: %s", config->swap, strerror(errno));
	int fd = open(config->swap, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fatal(EXIT_SWAP, "swap: %s: %s", config->swap, strerror(errno));
	return fd;
}

static void pager_warning(const char *text)
{
	log_warn("%s", text);
}

static struct pager *pager_start(struct daemon *daemon)
{
	const struct config *config = &daemon->config;
	struct pager *pager;
	char why[200] = "";
	struct pager_config values = {
		.budget_bytes = config->memory_bytes,
		.policy = config->policy,
		.swap_dir_fd = swap_directory(config),
		.swap_limit_bytes = config->swap_limit_bytes,
		.writeback_age_ms = config->writeback_ms,
		.prefetch_max_pages = config->prefetch_pages,
		.latency_fd = daemon->latency_fd,
		.low_latency = config->low_latency,
		.warn = pager_warning,
		.check = config->invariants,
	};
	int error = pager_create(&pager, &values, why, sizeof why);
	close(values.swap_dir_fd);
	switch (error) {
	case 0:
		return pager;
	case -EINVAL:
		fatal(EXIT_USAGE, "%s", why);
	case -ENOMEM:
		fatal(EXIT_NO_MEMORY, "%s", why);
	case -EPERM:
	case -ENOSYS:
		fatal(EXIT_PERMISSION, "%s", why);
	default:
		fatal(EXIT_SWAP, "swap: %s: %s", config->swap, why);
	}
}

static void *pager_thread(void *pager)
{
	int error = pager_run(pager);
	if (error)
		fatal(1, "the I/O ring failed: %s", strerror(-error));
	return NULL;
}

static void thread_start(pthread_t *thread, struct pager *pager)
{
	sigset_t all, old;
	sigfillset(&all); /* signals are the main thread's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(thread, NULL, pager_thread, pager))
		fatal(EXIT_NO_MEMORY, "cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static struct event *watch(struct daemon *daemon, int fd, short what, event_callback_fn call)
{
	struct event *event = event_new(daemon->base, fd, what, call, daemon);
	if (!event || (what && event_add(event, NULL)))
		fatal(EXIT_NO_MEMORY, "not enough memory");
	return event;
}

static void serve(struct daemon *daemon, struct pager *pager)
{
	pthread_t thread;
	struct event *events[4] = {NULL};
	if (bridge_init(&daemon->bridge, daemon->base, pager))
		fatal(EXIT_NO_MEMORY, "not enough memory");
	thread_start(&thread, pager);
	daemon->listen_event =
		watch(daemon, daemon->listen_fd, EV_READ | EV_PERSIST, on_connection);
	daemon->retry_event = watch(daemon, -1, 0, on_retry);
	events[0] = watch(daemon, SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal);
	events[1] = watch(daemon, SIGINT, EV_SIGNAL | EV_PERSIST, on_signal);
	if (daemon->config.lifeline_fd >= 0)
		events[2] = watch(daemon, daemon->config.lifeline_fd, EV_READ, on_lifeline);
	if (daemon->config.ready_fd >= 0) {
		if (write(daemon->config.ready_fd, "r", 1) < 0)
			log_warn("nobody waits for the daemon: %s", strerror(errno));
		close(daemon->config.ready_fd);
	}
	log_debug("serving on %s, %llu MiB, policy %s", daemon->config.socket,
		  (unsigned long long)daemon->config.memory_bytes >> 20, daemon->config.policy);
	event_base_dispatch(daemon->base);
	unlink(daemon->config.socket);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (events[i])
			event_free(events[i]);
	event_free(daemon->listen_event);
	event_free(daemon->retry_event);
	bridge_finish(&daemon->bridge);
}

int main(int argc, char **argv)
{
	struct daemon daemon = {.listen_fd = -1, .lock_fd = -1};
	struct timespec now;
	config_parse(&daemon.config, argc, argv);
	log_verbose = daemon.config.verbose;
	daemon.device_fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	daemon.latency_fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (daemon.config.check)
		return check_print(&daemon.config, daemon.device_fd, daemon.latency_fd);
	if (check_required(daemon.device_fd))
		return EXIT_PERMISSION;
	for (int fd = 0; fd < 3; fd++) /* descriptors 0 to 2 must never become files of clients */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			fatal(EXIT_SOCKET, "/dev/null: %s", strerror(errno));
	if (daemon.config.lifeline_fd >= 0)
		fcntl(daemon.config.lifeline_fd, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	raise_files();
	clock_gettime(CLOCK_MONOTONIC, &now);
	daemon.started_s = (uint64_t)now.tv_sec;
	daemon.spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	evthread_use_pthreads();
	daemon.base = event_base_new();
	if (!daemon.base)
		fatal(EXIT_NO_MEMORY, "not enough memory");
	struct pager *pager = pager_start(&daemon);
	socket_listen(&daemon);
	drop_rights();
	serve(&daemon, pager);
	pager_destroy(pager);
	event_base_free(daemon.base);
	return 0;
}
