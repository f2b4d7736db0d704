/* SPDX-License-Identifier: MIT */
/*
 * One thread forks, one flushes all streams, and one asks for memory while it has a stream, by
 * either of two calls. None waits for the others for ever. The child writes to that stream.
 *
 *	fork_streams mmap|malloc FORKS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (2u << 20)

static FILE *stream;
static atomic_bool stop;
static atomic_uint rounds; /* of the other two */

static char *memory_map(void)
{
	return mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *ask_for_memory(void *by_malloc)
{
	for (; !stop; rounds++) {
		flockfile(stream);
		char *memory = by_malloc ? malloc(BYTES) : memory_map();
		if (!memory || memory == MAP_FAILED)
			abort();
		*(volatile char *)memory = 1;
		if (by_malloc)
			free(memory);
		else
			munmap(memory, BYTES);
		funlockfile(stream);
	}
	return NULL;
}

static void *flush(void *nothing)
{
	for (; !stop; rounds++)
		fflush(NULL);
	return nothing;
}

static void fork_once(void)
{
	int status;
	pid_t child = fork();
	if (child < 0)
		abort();
	if (!child) {
		fputs("child\n", stream);
		_exit(fflush(NULL) || fclose(stream));
	}
	if (waitpid(child, &status, 0) != child || status)
		abort();
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	bool by_malloc = argc == 3 && strcmp(argv[1], "malloc") == 0;
	stream = fopen("/dev/null", "w");
	if (argc != 3 || !stream ||
	    pthread_create(&threads[0], NULL, ask_for_memory, by_malloc ? stream : NULL) ||
	    pthread_create(&threads[1], NULL, flush, NULL))
		return 64;
	for (int i = 0; i < atoi(argv[2]); i++)
		fork_once();
	/* Alone it may fork as well. */
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	fork_once();
	puts(rounds ? "forked" : "nobody else ran");
	return 0;
}
