/* SPDX-License-Identifier: MIT */
/* The preloaded library: its state, and when it joins the daemon. */
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "lock.h"
#include "size.h"

#define MIN_BYTES     (1ull << 20)
#define SOON_SECONDS  10  /* other threads may wait for a disk */
#define STATUS_FAILED 125 /* as env(1), nohup(1) for a failure of their own */

struct preload preload = {
	.paged = {.session = SESSION_INIT},
	.choice = {.min_bytes = MIN_BYTES, .min_file_bytes = PAGE_BYTES},
	.fork_socket = -1,
};

void preload_die(const char *why)
{
	sys_complain("pagerd: ");
	sys_complain(why);
	sys_complain("; this process ends, as it cannot go on with the right data\n");
	sys_exit(STATUS_FAILED);
}

long preload_result(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

void *preload_next(void **known, const char *name)
{
	void *next = __atomic_load_n(known, __ATOMIC_RELAXED);
	if (!next) {
		next = dlsym(RTLD_NEXT, name);
		__atomic_store_n(known, next, __ATOMIC_RELAXED);
	}
	return next;
}

static void preload_copy(char *to, size_t bytes, const char *name)
{
	const char *value = getenv(name);
	if (!value)
		return;
	if (strlen(value) < bytes) {
		strcpy(to, value);
		return;
	}
	sys_complain("pagerd: ");
	sys_complain(name);
	sys_complain(" is too long: it counts as not set\n");
}

static void preload_size(const char *name, uint64_t *bytes)
{
	const char *value = getenv(name);
	if (value)
		size_parse(value, bytes);
}

static bool preload_required(void)
{
	const char *value = getenv("PAGERD_REQUIRE");
	uint64_t who;
	return value && size_parse(value, &who) == 0 &&
	       (who == 1 || who == (uint64_t)preload.self.pid);
}

/* valgrind lets no other thread run while one waits for a page: not the agent either, which may
 * have to save that page before it can be had again. */
static bool preload_under_valgrind(void)
{
	const char *preloaded = getenv("LD_PRELOAD");
	if (!preloaded || !strstr(preloaded, "/vgpreload_"))
		return false;
	sys_complain("pagerd: under valgrind nothing is paged: this process runs without\n");
	return true;
}

/* The environment is there from the C library's own initialisation on, which comes before any
 * allocator's. Our fork handlers must be registered before any allocator's: handlers run in this
 * order in the child, where ours bring the memory back that theirs use. */
static void preload_init(void)
{
	if (!environ)
		return;
	preload.self = self_now();
	preload.verbose = getenv("PAGERD_VERBOSE") != NULL;
	preload.require = preload_required();
	preload_copy(preload.socket_path, sizeof(preload.socket_path), "PAGERD_SOCKET");
	preload_copy(preload.memory, sizeof(preload.memory), "PAGERD_MEMORY");
	preload_copy(preload.learn, sizeof(preload.learn), "PAGERD_LEARN");
	preload_copy(preload.policy, sizeof(preload.policy), "PAGERD_POLICY");
	preload_copy(preload.unit, sizeof(preload.unit), "PAGERD_UNIT");
	preload_size("PAGERD_MIN_BYTES", &preload.choice.min_bytes);
	preload_size("PAGERD_MIN_FILE_BYTES", &preload.choice.min_file_bytes);
	if (preload.socket_path[0] && preload_under_valgrind())
		preload.socket_path[0] = 0;
	if (preload.socket_path[0]) {
		preload_fork_register();
		filter_open(preload.socket_path);
	}
	uint32_t state = preload.socket_path[0] ? PRELOAD_IDLE : PRELOAD_OFF;
	__atomic_store_n(&preload.state, state, __ATOMIC_RELEASE);
}

void preload_enter(sys_signals *signals)
{
	sys_block_signals(signals);
	lock_take(&preload.lock);
	if (preload.state == PRELOAD_NEW)
		preload_init();
}

bool preload_enter_soon(sys_signals *signals)
{
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += SOON_SECONDS;
	sys_block_signals(signals);
	if (lock_take_until(&preload.lock, &end))
		return true;
	sys_restore_signals(signals);
	return false;
}

void preload_leave(const sys_signals *signals)
{
	lock_release(&preload.lock);
	sys_restore_signals(signals);
}

bool preload_paging(void)
{
	return __atomic_load_n(&preload.state, __ATOMIC_ACQUIRE) == PRELOAD_ON &&
	       __atomic_load_n(&preload.paged.regions.count, __ATOMIC_RELAXED) > 0 &&
	       self_is(&preload.self);
}

/* It ends with the pagerctl that began it: whoever comes later goes without. */
static void preload_learn(void)
{
	char text[sizeof("learn=") + sizeof(preload.learn)] = "learn=";
	if (preload.learn[0])
		session_set(&preload.paged.session, 0, strcat(text, preload.learn), NULL, 0);
}

/* Add a word to those that are set. */
static void preload_word(char *text, const char *name, const char *value)
{
	if (value[0])
		strcat(strcat(strcat(text, text[0] ? " " : ""), name), value);
}

int preload_set(void)
{
	char text[sizeof("memory= policy= unit=") + sizeof(preload.memory) +
		  sizeof(preload.policy) + sizeof(preload.unit)] = "";
	char why[160] = "";
	preload_learn();
	preload_word(text, "memory=", preload.memory);
	preload_word(text, "policy=", preload.policy);
	preload_word(text, "unit=", preload.unit);
	if (!text[0])
		return 0;
	int result = session_set(&preload.paged.session, 0, text, why, sizeof(why));
	if (why[0]) {
		sys_complain("pagerd: the environment asks for ");
		sys_complain(text);
		sys_complain(": ");
		sys_complain(why);
		sys_complain("\n");
	}
	return result;
}

int preload_connect(void)
{
	int result = session_connect(&preload.paged.session, preload.socket_path);
	if (result < 0)
		return result;
	filter_open(preload.socket_path); /* this daemon may have come later than we have */
	preload.choice.not_served = !preload.paged.session.served;
	result = preload_set();
	if (result < 0)
		session_finish(&preload.paged.session);
	else
		__atomic_store_n(&preload.state, PRELOAD_ON, __ATOMIC_RELEASE);
	return result;
}

int preload_join(void)
{
	if (preload.state == PRELOAD_ON)
		return 0;
	if (preload.state != PRELOAD_IDLE)
		return -ENOTCONN;
	int result = preload_connect();
	if (result < 0)
		__atomic_store_n(&preload.state, PRELOAD_OFF, __ATOMIC_RELEASE);
	if (result < 0 && (preload.require || preload.verbose)) {
		sys_complain("pagerd: cannot join the daemon at ");
		sys_complain(preload.socket_path);
		sys_complain(": ");
		sys_complain(strerrordesc_np(-result));
		sys_complain("\n");
	}
	if (result < 0 && preload.require)
		sys_exit(STATUS_FAILED);
	return result;
}

__attribute__((constructor)) static void preload_start(void)
{
	sys_signals signals;
	preload_enter(&signals);
	preload_leave(&signals);
}
