/* SPDX-License-Identifier: MIT */
/*
 * The other side of a redis-server in bench/compare: stores values, gets them by keys that Zipf's
 * law draws, over several connections with several requests under way on each, and checks every
 * byte that comes back.
 *
 *	redis_load SOCKET VALUES BYTES load
 *	redis_load SOCKET VALUES BYTES get THETA GETS CONNECTIONS DEPTH SEED
 *
 * get prints the microseconds that a GET took on average; THETA 0 draws every key as often.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "workload/random.h"
#include "workload/skew.h"
#include "workload/workload.h"

enum {
	KEY_BYTES = 16,
	VALUE_BYTES_MAX = 1 << 20,
	COMMAND_BYTES_MAX = VALUE_BYTES_MAX + 128,
	CONNECTIONS_MAX = 64,
	DEPTH_MAX = 256,
	CONNECT_TRIES = 600,
	CONNECT_PAUSE_US = 50000,
	LOAD_DEPTH = 32,
};

struct connection {
	int fd;
	uint32_t asked[DEPTH_MAX]; /* whose answers are to come, in this order */
};

struct load {
	struct sockaddr_un address;
	uint32_t values;
	size_t value_bytes;
	size_t reply_bytes; /* of one GET */
	char *buffer;	    /* for requests, or replies, of one connection */
	char *wanted;	    /* one reply as it has to be */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "redis_load: %s: %s\n", what, errno ? strerror(errno) : "wrong");
	exit(1);
}

static int connect_to(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (int i = 0; i < CONNECT_TRIES; i++) {
		if (!connect(fd, (const struct sockaddr *)address, sizeof *address))
			return fd;
		usleep(CONNECT_PAUSE_US);
	}
	die(address->sun_path);
}

static void send_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t sent = write(fd, data, bytes);
		if (sent <= 0)
			die("write");
		data += sent;
		bytes -= sent;
	}
}

static void receive_all(int fd, char *data, size_t bytes)
{
	while (bytes) {
		ssize_t got = read(fd, data, bytes);
		if (got <= 0)
			die("read");
		data += got;
		bytes -= got;
	}
}

/* A function of its number alone. */
static void value_make(char *value, size_t bytes, uint32_t number)
{
	struct random random = random_make(number, bytes);
	for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
		uint64_t word = random_next(&random);
		size_t rest = bytes - at;
		memcpy(value + at, &word, rest < sizeof word ? rest : sizeof word);
	}
}

/* ---- storing ------------------------------------------------------------------------------- */

static size_t set_make(const struct load *load, char *at, uint32_t number)
{
	char *start = at;
	at += sprintf(at, "*3\r\n$3\r\nSET\r\n$%d\r\nkey:%012u\r\n$%zu\r\n", KEY_BYTES, number,
		      load->value_bytes);
	value_make(at, load->value_bytes, number);
	at += load->value_bytes;
	memcpy(at, "\r\n", 2);
	return at + 2 - start;
}

static void stored(int fd, uint32_t count)
{
	char answer[5];
	for (uint32_t i = 0; i < count; i++) {
		receive_all(fd, answer, sizeof answer);
		errno = 0;
		if (memcmp(answer, "+OK\r\n", sizeof answer))
			die("SET was not answered with OK");
	}
}

static void run_load(struct load *load)
{
	int fd = connect_to(&load->address);
	uint32_t waiting = 0;
	for (uint32_t number = 0; number < load->values; number++) {
		send_all(fd, load->buffer, set_make(load, load->buffer, number));
		if (++waiting < LOAD_DEPTH)
			continue;
		stored(fd, waiting);
		waiting = 0;
	}
	stored(fd, waiting);
	close(fd);
}

/* ---- getting ------------------------------------------------------------------------------- */

struct keys {
	struct skew skew;
	struct random random;
	uint32_t *of_rank;
};

static struct keys keys_make(const struct load *load, double theta, uint64_t seed)
{
	struct keys keys = {
		.skew = skew_make(load->values, theta),
		.random = random_make(seed, 1),
		.of_rank = permutation_make(load->values, random_make(0, 0)),
	};
	if (!keys.of_rank)
		die("memory");
	return keys;
}

static void ask(const struct load *load, struct connection *connection, struct keys *keys,
		size_t count)
{
	char *at = load->buffer;
	for (size_t i = 0; i < count; i++) {
		uint32_t number = keys->of_rank[skew_draw(&keys->skew, &keys->random)];
		connection->asked[i] = number;
		at += sprintf(at, "*2\r\n$3\r\nGET\r\n$%d\r\nkey:%012u\r\n", KEY_BYTES, number);
	}
	send_all(connection->fd, load->buffer, at - load->buffer);
}

/* All values are of the same length, and so are the replies. */
static void hear(const struct load *load, const struct connection *connection, size_t count)
{
	size_t head = sprintf(load->wanted, "$%zu\r\n", load->value_bytes);
	memcpy(load->wanted + head + load->value_bytes, "\r\n", 2);
	receive_all(connection->fd, load->buffer, count * load->reply_bytes);
	for (size_t i = 0; i < count; i++) {
		value_make(load->wanted + head, load->value_bytes, connection->asked[i]);
		errno = 0;
		if (memcmp(load->buffer + i * load->reply_bytes, load->wanted, load->reply_bytes))
			die("WRONG DATA in a reply");
	}
}

static void run_get(struct load *load, struct keys *keys, size_t gets, size_t connections,
		    size_t depth)
{
	struct connection all[CONNECTIONS_MAX];
	for (size_t i = 0; i < connections; i++)
		all[i].fd = connect_to(&load->address);
	for (size_t i = 0; i < connections; i++)
		ask(load, &all[i], keys, depth);
	for (size_t done = 0; done < gets; done += depth) {
		struct connection *next = &all[done / depth % connections];
		hear(load, next, depth);
		ask(load, next, keys, depth);
	}
	for (size_t i = 0; i < connections; i++)
		hear(load, &all[i], depth);
}

static double now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void time_get(struct load *load, char **words)
{
	size_t gets = strtoul(words[1], NULL, 10);
	size_t connections = strtoul(words[2], NULL, 10), depth = strtoul(words[3], NULL, 10);
	struct keys keys = keys_make(load, strtod(words[0], NULL), strtoul(words[4], NULL, 10));
	errno = EINVAL;
	if (!connections || connections > CONNECTIONS_MAX || !depth || depth > DEPTH_MAX)
		die("connections or depth");
	double start = now_us();
	run_get(load, &keys, gets, connections, depth);
	printf("%.3f\n", (now_us() - start) / (gets + connections * depth));
	free(keys.of_rank);
}

static struct load load_make(char **words)
{
	struct load load = {
		.address.sun_family = AF_UNIX,
		.values = strtoul(words[1], NULL, 10),
		.value_bytes = strtoul(words[2], NULL, 10),
	};
	errno = EINVAL;
	if (strlen(words[0]) >= sizeof load.address.sun_path)
		die("the socket's name is too long");
	if (!load.values || !load.value_bytes || load.value_bytes > VALUE_BYTES_MAX)
		die("values or bytes");
	strcpy(load.address.sun_path, words[0]);
	load.reply_bytes = snprintf(NULL, 0, "$%zu\r\n\r\n", load.value_bytes) + load.value_bytes;
	load.wanted = malloc(COMMAND_BYTES_MAX);
	load.buffer = malloc(COMMAND_BYTES_MAX + DEPTH_MAX * load.reply_bytes);
	if (!load.wanted || !load.buffer)
		die("memory");
	return load;
}

int main(int argc, char **argv)
{
	if (argc < 5 || (!strcmp(argv[4], "get") && argc != 10)) {
		fprintf(stderr, "usage: redis_load SOCKET VALUES BYTES load | "
				"get THETA GETS CONNECTIONS DEPTH SEED\n");
		return 64;
	}
	struct load load = load_make(argv + 1);
	if (!strcmp(argv[4], "get"))
		time_get(&load, argv + 5);
	else
		run_load(&load);
	free(load.wanted);
	free(load.buffer);
	return 0;
}
