/* SPDX-License-Identifier: MIT */
#include "daemon_harness.h"

#include <dirent.h>
#include <poll.h>
#include <time.h>

#include "thread.h"

#define PAGERD_RELEASE "test"
#include "../../daemon/bridge.c"
int threads_refused; /* so many are not to be had */
static int thread_may_create(pthread_t *thread, const pthread_attr_t *attributes,
			     void *(*run)(void *), void *context)
{
	return threads_refused && threads_refused--
		       ? -EAGAIN
		       : thread_create(thread, attributes, run, context);
}
#define thread_create thread_may_create
#include "../../daemon/closing.c"
#undef thread_create
#include "../../daemon/config.c"
#include "../../daemon/descriptor.c"
#include "../../daemon/gate.c"
#include "../../daemon/log.c"
#include "../../daemon/mounts.c"
#include "../../daemon/numbers.c"
#include "../../daemon/places.c"
#include "../../daemon/report.c"
#include "../../daemon/report_learned.c"
#include "../../daemon/report_maps.c"
#include "../../daemon/report_objects.c"
#include "../../daemon/session.c"
#include "../../daemon/session_client.c"
#include "../../daemon/session_discard.c"
#include "../../daemon/session_file.c"
#include "../../daemon/session_learn.c"
#include "../../daemon/session_memory.c"
#include "../../daemon/session_quick.c"
#include "../../daemon/session_request.c"
#include "../../daemon/session_set.c"

/* ---- a loop instead of libevent ---------------------------------------------------------- */

struct event {
	struct event_base *base;
	struct event *next;
	int fd;
	short what;
	event_callback_fn call;
	void *context;
	bool added;
};

struct event_base {
	struct event *events;
};

static struct event_base base_;

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what,
			event_callback_fn call, void *context)
{
	struct event *event = calloc(1, sizeof *event);
	*event = (struct event){base, base->events, fd, what, call, context, false};
	base->events = event;
	return event;
}

int event_add(struct event *event, const struct timeval *timeout)
{
	event->added = true;
	return 0;
}

int event_del(struct event *event)
{
	event->added = false;
	return 0;
}

void event_free(struct event *event)
{
	struct event **link = &event->base->events;
	while (*link != event)
		link = &(*link)->next;
	*link = event->next;
	free(event);
}

static bool event_ready(const struct event *event)
{
	if (event->fd < 0)
		return false;
	short what = event->what & EV_READ ? POLLIN : event->what & EV_CLOSED ? POLLRDHUP : POLLOUT;
	struct pollfd p = {.fd = event->fd, .events = what};
	return event->added && poll(&p, 1, 0) > 0;
}

void loop_turn(void)
{
	for (struct event *event = base_.events; event; event = event->next) {
		if (!event_ready(event))
			continue;
		event->added = event->what & EV_PERSIST;
		event->call(event->fd, event->what, event->context);
		return;
	}
	usleep(100);
}

int loop_expire(void)
{
	int count = 0;
	for (struct event *event = base_.events; event; event = event->next) {
		if (!event->added || event->fd >= 0)
			continue;
		event->added = false;
		event->call(event->fd, EV_TIMEOUT, event->context);
		count++;
	}
	return count;
}

uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- a daemon ---------------------------------------------------------------------------- */

struct daemon daemon_;
struct pager pagers_[SHARDS_MOST];
static pthread_t threads_[SHARDS_MOST];
static int files_before;
unsigned unclosed_;
static int mute = -1; /* the log, out of the way */

void daemon_check_end(struct daemon *daemon)
{
}

int files_open(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/fd");
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void *run(void *pager)
{
	pager_run(pager);
	return NULL;
}

void daemon_begin(uint32_t shards)
{
	struct pager *pagers[SHARDS_MOST];
	mute = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!getenv("TEST_VERBOSE"))
		dup2(mute, STDERR_FILENO);
	files_before = files_open();
	daemon_ = (struct daemon){.base = &base_, .device_fd = open("/dev/userfaultfd", O_RDWR)};
	for (uint32_t i = 0; i < shards; i++) {
		fake_init(pagers_, i, shards);
		pagers[i] = &pagers_[i];
	}
	ck_assert_int_eq(bridge_init(&daemon_.bridge, &base_, pagers, shards), 0);
	for (uint32_t i = 0; i < shards; i++)
		ck_assert_int_eq(pthread_create(&threads_[i], NULL, run, pagers[i]), 0);
	gate_init(&daemon_.gate, false);
	daemon_.closings = closings_create(&daemon_.bridge);
	ck_assert_ptr_nonnull(daemon_.closings);
}

void hold(bool on)
{
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		fake_hold(&pagers_[i], on);
}

unsigned done_count(enum pager_request_type type)
{
	unsigned count = 0;
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		count += fake_done_count(&pagers_[i], type);
	return count;
}

unsigned client_count(void)
{
	return fake_client_count(&pagers_[0]);
}

static void stop_complete(struct job *job)
{
	daemon_.stopping = !--daemon_.running;
}

/* Ask all of them; held requests are answered first. */
static void pagers_stop(void)
{
	daemon_.running = daemon_.bridge.shards;
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++) {
		daemon_.stop_jobs[i] = (struct job){.request = {.type = PAGER_STOP, .fd = -1},
						    .complete = stop_complete,
						    .shard = i};
		bridge_post(&daemon_.bridge, &daemon_.stop_jobs[i]);
	}
	hold(false);
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		fake_keep(&pagers_[i], 0);
	loop_until(daemon_.stopping);
}

void daemon_end(void)
{
	pagers_stop();
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		pthread_join(threads_[i], NULL);
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		fake_finish(&pagers_[i]);
	sessions_finish(&daemon_);
	unclosed_ = closings_destroy(daemon_.closings);
	gate_finish(&daemon_.gate);
	numbers_finish(&daemon_.numbers);
	bridge_finish(&daemon_.bridge);
	if (daemon_.device_fd >= 0)
		close(daemon_.device_fd);
	ck_assert_ptr_null(base_.events);
}

void daemon_end_idle(void)
{
	loop_until(!daemon_.sessions);
	ck_assert_uint_eq(daemon_.session_count, 0);
	loop_until(!closings_count(daemon_.closings));
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		ck_assert_uint_eq(fake_client_count(&pagers_[i]), 0);
	daemon_end();
	ck_assert_int_eq(files_open(), files_before);
}

void session_join(struct session *session)
{
	event_del(session->event);
	session->busy = true;
	ck_assert_int_eq(client_add(session, session, PAGERD_UFFD, -1, client_added), 0);
}
