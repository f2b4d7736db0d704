/* SPDX-License-Identifier: MIT */
/*
 * connections THREADS ROUNDS: in each thread connections come and go, and map, write and read some
 * memory: a process has one agent, whichever connection comes first.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pagerd/pagerd.h"

enum { BYTES = 64 * 4096, THREADS_MAX = 64 };

static int rounds;

static void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	exit(1);
}

static void round_trip(unsigned char value)
{
	struct pagerd *pager;
	int error = pagerd_connect(&pager, NULL);
	if (error)
		fail("connect", error);
	unsigned char *at = pagerd_map(pager, NULL, BYTES, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &error);
	if (!at)
		fail("map", error);
	memset(at, value, BYTES);
	for (int i = 0; i < BYTES; i++)
		if (at[i] != value)
			fail("a byte is wrong", 0);
	pagerd_disconnect(pager);
}

static void *come_and_go(void *number)
{
	for (int i = 0; i < rounds; i++)
		round_trip((unsigned char)(i + *(int *)number + 1));
	return NULL;
}

/* A child may connect, too, whatever another thread was about in its parent. */
static void fork_meanwhile(void)
{
	pid_t child = fork();
	int status;
	if (child == 0) {
		alarm(20);
		round_trip(1);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		fail("a child that connects", 0);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int numbers[THREADS_MAX], count = argc == 3 ? atoi(argv[1]) : 0;
	if (count < 1 || count > THREADS_MAX)
		return 2;
	rounds = atoi(argv[2]);
	for (int i = 0; i < count; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, come_and_go, &numbers[i]))
			return 2;
	}
	for (int i = 0; i < 20; i++)
		fork_meanwhile();
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
