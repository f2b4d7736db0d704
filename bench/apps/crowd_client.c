/* SPDX-License-Identifier: MIT */
/* One of the crowd: fills its memory, waits until all are ready, reads at random. */
#include "apps/crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "workload/random.h"

enum { LINE_WORDS = 8 };

struct client {
	int number, clients, threads;
	int ready, go, result;
	size_t pages;	 /* of the file and of the anonymous memory, each */
	size_t accesses; /* of each thread */
	uint64_t *file, *anonymous;
	float *took_us; /* every access of every thread */
};

struct reader {
	const struct client *client;
	pthread_t thread;
	int number;
};

_Noreturn void die(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t stamp(size_t page, size_t word)
{
	return (page * PAGE_WORDS + word) * 0x9e3779b97f4a7c15u + 1;
}

void page_write(uint64_t *words, size_t page)
{
	for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
		words[i] = stamp(page, i);
}

void page_check(const uint64_t *words, size_t page)
{
	for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS) {
		if (words[i] == stamp(page, i))
			continue;
		fprintf(stderr, "crowd: WRONG DATA in page %zu, word %zu\n", page, i);
		exit(1);
	}
}

static double now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void *map(size_t pages, int flags, int fd, off_t offset)
{
	void *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, flags, fd, offset);
	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

/* Random accesses: the kernel is told, as it would read ahead otherwise. */
static void map_all(struct client *client, const char *path)
{
	size_t bytes = client->pages * PAGE_BYTES;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path);
	client->file = map(client->pages, MAP_SHARED, fd, client->number * bytes);
	client->anonymous = map(client->pages, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(client->file, bytes, MADV_RANDOM);
	close(fd);
	for (size_t page = 0; page < client->pages; page++)
		page_write(client->anonymous + page * PAGE_WORDS, page);
}

/* In the file the number of a page counts from its start, and not from that of our part. */
static void access_one(const struct client *client, struct random *random)
{
	size_t page = random_below(random, client->pages);
	if (random_below(random, 2))
		page_check(client->anonymous + page * PAGE_WORDS, page);
	else
		page_check(client->file + page * PAGE_WORDS, client->number * client->pages + page);
}

static void *read_all(void *argument)
{
	const struct reader *reader = argument;
	const struct client *client = reader->client;
	struct random random = random_make(client->number, reader->number);
	float *took_us = client->took_us + reader->number * client->accesses;
	for (size_t i = 0; i < client->accesses; i++) {
		double start = now_us();
		access_one(client, &random);
		took_us[i] = now_us() - start;
	}
	return NULL;
}

static void run_threads(struct client *client)
{
	struct reader *readers = calloc(client->threads, sizeof *readers);
	for (int i = 0; i < client->threads; i++) {
		readers[i] = (struct reader){.client = client, .number = i};
		errno = pthread_create(&readers[i].thread, NULL, read_all, &readers[i]);
		if (errno)
			die("pthread_create");
	}
	for (int i = 0; i < client->threads; i++)
		pthread_join(readers[i].thread, NULL);
	free(readers);
}

static int compare_floats(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static double percentile_99(struct client *client)
{
	size_t count = client->threads * client->accesses;
	qsort(client->took_us, count, sizeof *client->took_us, compare_floats);
	return client->took_us[count * 99 / 100];
}

static struct client client_make(char **words)
{
	struct client client = {
		.number = atoi(words[0]),
		.ready = atoi(words[1]),
		.go = atoi(words[2]),
		.result = atoi(words[3]),
		.clients = atoi(words[4]),
		.threads = atoi(words[5]),
	};
	client.pages = strtoul(words[6], NULL, 10) / 2 / client.clients;
	client.accesses = strtoul(words[7], NULL, 10) / (client.clients * client.threads);
	/* Not from malloc, which may be paged as well. */
	size_t bytes = client.threads * client.accesses * sizeof *client.took_us;
	client.took_us = calloc(1, bytes);
	if (!client.pages || !client.accesses || !client.took_us)
		die("too little for so many clients");
	memset(client.took_us, 1, bytes);
	return client;
}

/* The other end of "go" is closed when all are ready. */
static void wait_for_go(const struct client *client)
{
	char none;
	if (write(client->ready, "r", 1) != 1 || read(client->go, &none, 1) != 0)
		die("pipe");
}

int client_main(char **words)
{
	struct client client = client_make(words);
	struct client_result result;
	map_all(&client, words[8]);
	wait_for_go(&client);
	result.start_us = now_us();
	run_threads(&client);
	result.end_us = now_us();
	result.p99_us = percentile_99(&client);
	if (write(client.result, &result, sizeof result) != sizeof result)
		die("pipe");
	return 0;
}
