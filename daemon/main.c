/* SPDX-License-Identifier: MIT */
/* pagerd: start-up, the main loop, the end. */
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bank.h"
#include "check.h"
#include "closing.h"
#include "daemon.h"
#include "filter.h"
#include "listener.h"
#include "log.h"
#include "rights.h"
#include "session.h"
#include "thread.h"

/* A request of that type to each shard, with a job of its own. */
static void shards_post(struct daemon *daemon, struct job *jobs, enum pager_request_type type,
			void (*complete)(struct job *job))
{
	for (uint32_t i = 0; i < daemon->bridge.shards; i++) {
		jobs[i] = (struct job){
			.request = {.type = type, .fd = -1},
			.complete = complete,
			.owner = daemon,
			.shard = i,
		};
		bridge_post(&daemon->bridge, &jobs[i]);
	}
}

/* ---- the end ----------------------------------------------------------------------------- */

static void stopped(struct job *job)
{
	struct daemon *daemon = job->owner;
	if (!--daemon->running)
		event_base_loopbreak(daemon->base);
}

void daemon_stop(struct daemon *daemon)
{
	if (daemon->stopping)
		return;
	daemon->stopping = true;
	listener_stop(daemon);
	daemon->running = daemon->bridge.shards;
	shards_post(daemon, daemon->stop_jobs, PAGER_STOP, stopped);
}

void daemon_check_end(struct daemon *daemon)
{
	if (daemon->orphaned && !daemon->sessions)
		daemon_stop(daemon);
}

/* Its victims are wrong, and so may be all that it knows. */
static void policy_broke(struct job *job)
{
	struct daemon *daemon = job->owner;
	log_warn("%s: the policy is broken: ending, after changes are written to their files",
		 job->request.why);
	daemon->status = EXIT_POLICY;
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
	char bytes[64];
	ssize_t got = read(fd, bytes, sizeof bytes);
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	event_del(daemon->lifeline_event);
	daemon->orphaned = true;
	daemon_check_end(daemon);
}

/* ---- start-up ---------------------------------------------------------------------------- */

static int swap_directory(const struct config *config)
{
	if (!strcmp(config->swap, SWAP_SERVICE) && mkdir(config->swap, 0700) < 0 && errno != EEXIST)
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

static void pager_note(const char *text)
{
	log_info("%s", text);
}

/* A quarter of what there are, as of the sessions; in each shard. */
static uint32_t user_descriptors(const struct daemon *daemon)
{
	uint32_t most = daemon->files / 4 / daemon->config.threads;
	return most ? most : 1;
}

static struct pager *pager_start(struct daemon *daemon, uint32_t shard)
{
	const struct config *config = &daemon->config;
	struct pager *pager;
	char why[200] = "";
	struct pager_config values = {
		.shard = shard,
		.shards = config->threads,
		.bank = daemon->bank,
		.swap_bank = daemon->swap_bank,
		.budget_bytes = config->memory_bytes,
		.policy = config->policy,
		.swap_dir_fd = daemon->swap_fd,
		.swap_limit_bytes = config->swap_limit_bytes,
		.writeback_age_ms = config->writeback_ms,
		.prefetch_max_pages = config->prefetch_pages,
		.unit = config->unit,
		.reclaim_on_demand = config->reclaim_on_demand,
		.user_descriptors = user_descriptors(daemon),
		.latency_fd = daemon->latency_fds[shard],
		.low_latency = config->low_latency,
		.warn = pager_warning,
		.access_looks = config->access_looks,
		.record_fd = config->record_fd,
		.record_window = config->record_window,
		.note = pager_note,
		.chaos = config->chaos,
		.chaos_seed = config->chaos_seed + shard,
		.check = config->invariants,
	};
	int error = pager_create(&pager, &values, why, sizeof why);
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

static struct bank *bank_start(uint32_t accounts, uint64_t bytes)
{
	struct bank *bank = bank_make(accounts, bytes >> PAGE_SHIFT);
	if (!bank)
		fatal(EXIT_NO_MEMORY, "not enough memory");
	return bank;
}

/* One pager needs to share nothing. */
static void pagers_start(struct daemon *daemon, struct pager **pagers)
{
	const struct config *config = &daemon->config;
	daemon->swap_fd = swap_directory(config);
	if (config->threads > 1)
		daemon->bank = bank_start(config->threads, config->memory_bytes);
	if (config->threads > 1 && config->swap_limit_bytes)
		daemon->swap_bank = bank_start(0, config->swap_limit_bytes);
	for (uint32_t i = 0; i < config->threads; i++)
		pagers[i] = pager_start(daemon, i);
}

static void *pager_thread(void *pager)
{
	int error = pager_run(pager);
	if (error)
		fatal(EXIT_RING, "the I/O ring failed: %s", strerror(-error));
	return NULL;
}

static void thread_start(pthread_t *thread, struct pager *pager)
{
	if (thread_create(thread, NULL, pager_thread, pager))
		fatal(EXIT_NO_MEMORY, "cannot start a thread");
}

static struct event *watch(struct daemon *daemon, int fd, short what, event_callback_fn call)
{
	struct event *event = event_new(daemon->base, fd, what | EV_PERSIST, call, daemon);
	if (!event)
		fatal(EXIT_NO_MEMORY, "not enough memory");
	if (event_add(event, NULL))
		fatal(EXIT_USAGE, "descriptor %d cannot be waited for", fd);
	return event;
}

/* Tell who waits for it that clients can connect. */
static void ready(struct daemon *daemon)
{
	int fd = daemon->config.ready_fd;
	if (fd < 0)
		return;
	if (write(fd, "r", 1) < 0)
		log_warn("nobody waits for the daemon: %s", strerror(errno));
	close(fd);
	if (rights_standard_files())
		log_warn("/dev/null: %s", strerror(errno));
}

static void pagers_finish(struct daemon *daemon, const pthread_t *threads)
{
	struct bridge *bridge = &daemon->bridge;
	for (uint32_t i = 0; i < bridge->shards; i++)
		pthread_join(threads[i], NULL);
	/* From here on nobody has the sessions' requests any more. */
	for (uint32_t i = 0; i < bridge->shards; i++)
		pager_destroy(bridge->pagers[i]);
	filter_close(daemon->filter);
	bank_unref(daemon->bank);
	bank_unref(daemon->swap_bank);
}

static void serve(struct daemon *daemon, struct pager *const *pagers)
{
	pthread_t threads[PAGERD_SHARDS_MAX];
	struct event *signals[2];
	if (bridge_init(&daemon->bridge, daemon->base, pagers, daemon->config.threads) ||
	    listener_start(daemon))
		fatal(EXIT_NO_MEMORY, "not enough memory or descriptors");
	daemon->closings = closings_create(&daemon->bridge);
	if (!daemon->closings)
		fatal(EXIT_NO_MEMORY, "not enough memory");
	gate_init(&daemon->gate, daemon->config.files_served);
	signals[0] = watch(daemon, SIGTERM, EV_SIGNAL, on_signal);
	signals[1] = watch(daemon, SIGINT, EV_SIGNAL, on_signal);
	if (daemon->config.lifeline_fd >= 0)
		daemon->lifeline_event =
			watch(daemon, daemon->config.lifeline_fd, EV_READ, on_lifeline);
	for (uint32_t i = 0; i < daemon->config.threads; i++) {
		pager_show_files(pagers[i], daemon->filter);
		thread_start(&threads[i], pagers[i]);
	}
	shards_post(daemon, daemon->watch_jobs, PAGER_WATCH, policy_broke);
	ready(daemon);
	log_debug("serving on %s, %llu MiB, policy %s", daemon->config.socket,
		  (unsigned long long)daemon->config.memory_bytes >> 20, daemon->config.policy);
	event_base_dispatch(daemon->base);
	listener_finish(daemon);
	pagers_finish(daemon, threads);
	sessions_finish(daemon);
	unsigned unclosed = closings_destroy(daemon->closings);
	gate_finish(&daemon->gate);
	numbers_finish(&daemon->numbers);
	event_free(signals[0]);
	event_free(signals[1]);
	if (daemon->lifeline_event)
		event_free(daemon->lifeline_event);
	bridge_finish(&daemon->bridge);
	if (unclosed)
		log_warn("%u closings of what clients have passed wait for its servers: until they "
			 "answer, the kernel keeps this process",
			 unclosed);
}

/* What it warns of, it also returns; and we say it better. */
static void on_event_log(int severity, const char *message)
{
	log_debug("libevent: %s", message);
}

static void descriptors_open(struct daemon *daemon)
{
	daemon->device_fd = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	/* Each holds and lets go its own request. */
	for (uint32_t i = 0; i < daemon->config.threads; i++)
		daemon->latency_fds[i] = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	if (daemon->config.lifeline_fd >= 0)
		fcntl(daemon->config.lifeline_fd, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct daemon daemon = {.listen_fd = -1};
	struct timespec now;
	if (rights_standard_files())
		return EXIT_SOCKET; /* there is nowhere to say it */
	config_parse(&daemon.config, argc, argv);
	log_verbose = daemon.config.verbose;
	daemon.files = rights_raise_limits();
	descriptors_open(&daemon);
	if (daemon.config.check)
		return check_print(&daemon.config, daemon.device_fd, daemon.latency_fds[0]);
	if (check_required(daemon.device_fd))
		return EXIT_PERMISSION;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGIO, SIG_IGN); /* of the leases of cache.c */
	clock_gettime(CLOCK_MONOTONIC, &now);
	daemon.started_s = (uint64_t)now.tv_sec;
	event_set_log_callback(on_event_log);
	evthread_use_pthreads();
	daemon.base = event_base_new();
	if (!daemon.base)
		fatal(EXIT_NO_MEMORY, "not enough memory");
	struct pager *pagers[PAGERD_SHARDS_MAX];
	pagers_start(&daemon, pagers);
	listener_open(&daemon); /* last, as what fails before leaves no socket behind */
	int error = rights_drop();
	if (error)
		log_warn("cannot drop capabilities: %s", strerror(-error));
	serve(&daemon, pagers);
	event_base_free(daemon.base);
	return daemon.status;
}
