/* SPDX-License-Identifier: MIT */
/*
 * Many processes with many threads at once, for bench/compare: each process has a part of one
 * shared file and anonymous memory of its own, its threads read pages of both at random and check
 * them. The total of memory and of accesses is the same however many share it.
 *
 *	crowd CLIENTS THREADS PAGES ACCESSES FILE
 *
 * PAGES is the total of the file, which is created, and of the anonymous memory, half each;
 * ACCESSES are divided among all threads of all clients. Prints, in microseconds:
 *
 *	access    the time from the first access to the last one, by ACCESSES
 *	median    the 99th percentile of one access in the client whose 99th percentile is the
 *median slowest   the same in the client where it is highest
 *
 * Each client is a program of its own, as a preloaded library has to join the pager anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/crowd.h"

extern char **environ;

struct crowd {
	int clients;
	char **words; /* of the command line */
	int ready[2]; /* each client writes a byte */
	int go[2];    /* is closed when all are to start */
	int result[2];
	pid_t pids[CLIENTS_MAX];
	struct client_result results[CLIENTS_MAX];
};

static void make_file(const char *path, size_t pages)
{
	uint64_t words[PAGE_WORDS];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	for (size_t page = 0; page < pages; page++) {
		page_write(words, page);
		if (write(fd, words, PAGE_BYTES) != PAGE_BYTES)
			die(path);
	}
	if (fsync(fd) < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die(path);
	close(fd);
}

/* A client's words: its number, the descriptors, and the command line's. */
static void start_client(struct crowd *crowd, int number)
{
	char text[CLIENT_WORDS][16];
	char name[] = "client", *words[CLIENT_WORDS + 8] = {crowd->words[0], name};
	const int numbers[CLIENT_WORDS] = {number, crowd->ready[1], crowd->go[0], crowd->result[1]};
	for (int i = 0; i < CLIENT_WORDS; i++) {
		snprintf(text[i], sizeof text[i], "%d", numbers[i]);
		words[2 + i] = text[i];
	}
	memcpy(words + 2 + CLIENT_WORDS, crowd->words + 1, 5 * sizeof *words);
	errno = posix_spawn(&crowd->pids[number], "/proc/self/exe", NULL, NULL, words, environ);
	if (errno)
		die("posix_spawn");
}

/* Nobody but the clients has the other ends of the pipes: what ends too early is seen. */
static void start_clients(struct crowd *crowd)
{
	if (pipe(crowd->ready) || pipe(crowd->go) || pipe(crowd->result))
		die("pipe");
	fcntl(crowd->go[1], F_SETFD, FD_CLOEXEC);
	for (int i = 0; i < crowd->clients; i++)
		start_client(crowd, i);
	close(crowd->ready[1]);
	close(crowd->result[1]);
}

static void read_all(int fd, void *data, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t got = read(fd, (char *)data + done, bytes - done);
		errno = got ? errno : ECHILD;
		if (got <= 0)
			die("a client ended");
		done += got;
	}
}

static void run_clients(struct crowd *crowd)
{
	char ready[CLIENTS_MAX];
	read_all(crowd->ready[0], ready, crowd->clients);
	close(crowd->go[1]);
	read_all(crowd->result[0], crowd->results, crowd->clients * sizeof *crowd->results);
}

static void wait_for_clients(struct crowd *crowd)
{
	for (int i = 0; i < crowd->clients; i++) {
		int status;
		if (waitpid(crowd->pids[i], &status, 0) < 0)
			die("waitpid");
		errno = ECHILD;
		if (status)
			die("a client failed");
	}
}

static int compare_p99(const void *a, const void *b)
{
	double x = ((const struct client_result *)a)->p99_us;
	double y = ((const struct client_result *)b)->p99_us;
	return (x > y) - (x < y);
}

static void report(struct crowd *crowd, size_t accesses)
{
	double start = crowd->results[0].start_us, end = 0;
	for (int i = 0; i < crowd->clients; i++) {
		const struct client_result *result = &crowd->results[i];
		start = result->start_us < start ? result->start_us : start;
		end = result->end_us > end ? result->end_us : end;
	}
	qsort(crowd->results, crowd->clients, sizeof *crowd->results, compare_p99);
	printf("access %.3f\nmedian %.3f\nslowest %.3f\n", (end - start) / accesses,
	       crowd->results[crowd->clients / 2].p99_us,
	       crowd->results[crowd->clients - 1].p99_us);
}

int main(int argc, char **argv)
{
	struct crowd crowd = {.words = argv};
	if (argc == 2 + CLIENT_WORDS + 5 && !strcmp(argv[1], "client"))
		return client_main(argv + 2);
	crowd.clients = argc == 6 ? atoi(argv[1]) : 0;
	if (crowd.clients < 1 || crowd.clients > CLIENTS_MAX) {
		fprintf(stderr, "usage: crowd CLIENTS THREADS PAGES ACCESSES FILE\n");
		return 64;
	}
	make_file(argv[5], strtoul(argv[3], NULL, 10) / 2);
	start_clients(&crowd);
	run_clients(&crowd);
	wait_for_clients(&crowd);
	report(&crowd, strtoul(argv[4], NULL, 10));
	return 0;
}
