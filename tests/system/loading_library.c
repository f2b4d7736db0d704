/* SPDX-License-Identifier: MIT */
/* What loading loads: it waits for a thread that opens streams in every way. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *streams_open(void *nothing)
{
	FILE *stream = fdopen(open("/dev/null", O_RDONLY | O_CLOEXEC), "r");
	if (stream)
		stream = freopen("/dev/null", "r", stream);
	if (!stream || fclose(stream) || !fopen("/dev/null", "r"))
		abort();
	return nothing;
}

__attribute__((constructor)) static void load(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, streams_open, NULL) || pthread_join(thread, NULL))
		abort();
}
