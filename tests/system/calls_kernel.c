/* SPDX-License-Identifier: MIT */
/* The kernel as a user of the memory. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

static void test_system_calls(void)
{
	size_t bytes = 8 * MIB;
	int fd = scratch_file(bytes);
	char *memory = map(bytes, ANON);
	char *copy = map(bytes, ANON);
	struct iovec parts[2] = {{memory, bytes / 2}, {memory + bytes / 2, bytes / 2}};

	fill(memory, bytes, 97);
	CHECK(pwritev(fd, parts, 2, 0) == (ssize_t)bytes);
	CHECK(pread(fd, copy, bytes, 0) == (ssize_t)bytes);
	CHECK(holds(copy, bytes, 97));
	CHECK(madvise(copy, bytes, MADV_DONTNEED) == 0);
	parts[0].iov_base = copy;
	parts[1].iov_base = copy + bytes / 2;
	CHECK(preadv(fd, parts, 2, 0) == (ssize_t)bytes);
	CHECK(holds(copy, bytes, 97));
	CHECK(munmap(memory, bytes) == 0);
	CHECK(munmap(copy, bytes) == 0);
	close(fd);
}

static void *send_all(void *argument)
{
	const char *memory = argument;
	int fd = *(const int *)memory;

	for (size_t at = PAGE; at < 4 * MIB;) {
		ssize_t sent = write(fd, memory + at, 4 * MIB - at);

		CHECK(sent > 0);
		at += sent;
	}
	return NULL;
}

static void test_socket(void)
{
	char *memory = map(4 * MIB, ANON);
	char *copy = map(4 * MIB, ANON);
	pthread_t thread;
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	fill(memory, 4 * MIB, 101);
	memcpy(memory, &ends[1], sizeof(ends[1]));
	CHECK(pthread_create(&thread, NULL, send_all, memory) == 0);
	CHECK(recv(ends[0], copy + PAGE, 4 * MIB - PAGE, MSG_WAITALL) == (ssize_t)(4 * MIB - PAGE));
	pthread_join(thread, NULL);
	CHECK(holds(copy + PAGE, 4 * MIB - PAGE, 101 + PAGE / 8));
	close(ends[0]);
	close(ends[1]);
	CHECK(munmap(memory, 4 * MIB) == 0);
	CHECK(munmap(copy, 4 * MIB) == 0);
}

/* A lock and a condition in shared memory, while its pages come and go. */
struct turn {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int number;
};

static struct turn *turn_make(void *memory)
{
	pthread_mutexattr_t mutex_shared;
	pthread_condattr_t cond_shared;
	struct turn *turn = memory;

	pthread_mutexattr_init(&mutex_shared);
	pthread_mutexattr_setpshared(&mutex_shared, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&cond_shared);
	pthread_condattr_setpshared(&cond_shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&turn->lock, &mutex_shared);
	pthread_cond_init(&turn->changed, &cond_shared);
	turn->number = 0;
	return turn;
}

/* Take every other turn; push the pages out in between. */
static void take_turns(struct turn *turn, int parity, void *memory)
{
	for (int number = parity; number < 200; number += 2) {
		pthread_mutex_lock(&turn->lock);
		while (turn->number != number)
			pthread_cond_wait(&turn->changed, &turn->lock);
		turn->number++;
		pthread_cond_broadcast(&turn->changed);
		pthread_mutex_unlock(&turn->lock);
		CHECK(madvise(memory, 2 * MIB, MADV_PAGEOUT) == 0);
	}
}

static void test_futex(void)
{
	void *memory = map(2 * MIB, ANON_SHARED);
	struct turn *turn = turn_make(memory);
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	take_turns(turn, child ? 0 : 1, memory);
	if (!child)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(turn->number == 200);
	CHECK(munmap(memory, 2 * MIB) == 0);
}

const struct test tests_kernel[] = {
	TEST(system_calls),
	TEST(socket),
	TEST(futex),
	{0},
};
