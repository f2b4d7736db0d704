/* SPDX-License-Identifier: MIT */
/*
 * The work of bench/compare: access more memory than fits, check every page, and print for each
 * named step how many microseconds an access took.
 *
 *	compare_load --pages N [OPTION...] STEP...
 *	compare_load --pages N --file PATH create
 *
 *	--file PATH      the pages of this file, made by create (else anonymous memory)
 *	--advice NAME    random or sequential, for madvise, in named steps
 *	--threads N      that do the named steps
 *	--parts N        mappings among which the pages are divided
 *	--warm N         the first pages are set aside for steps of the order "warm"
 *	--seconds S      end each named step after so long, unless it writes anew
 *	--depth N        no mapping: O_DIRECT requests, so many in flight
 *	--unit N         pages of each request
 *	--mechanism      missing pages are answered by a process that does nothing else
 *	--daemon PID     print also what this process took: microseconds of processor time for each
 *	                 access (NAME-daemon-cpu), MiB at the end (NAME-daemon-memory)
 *
 * A step is [NAME=]OPERATION/ORDER[/ACCESSES]: read, write, update or update+sync (which ends with
 * writing back); forward, backward, stride:N, streams:N, blocks:N, once or random (see order.h), or
 *warm, which is forward over the pages set aside. Without ACCESSES: until the order has come to its
 *end.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "mapped.h"
#include "page.h"
#include "side.h"
#include "step.h"

enum { THREADS_MOST = 64 };

_Noreturn void die(const char *what)
{
	fprintf(stderr, "compare_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void usage(const char *what)
{
	fprintf(stderr, "compare_load: %s is not right; see bench/load/main.c\n", what);
	exit(64);
}

uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

bool work_is_over(const struct work *work)
{
	return work->end_ns && clock_ns() >= work->end_ns;
}

static void create(const struct load *load)
{
	char page[PAGE_BYTES] = {0};
	int fd = open(load->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die(load->path);
	for (uint64_t i = 0; i < load->pages; i++) {
		page_write(page, i, 1);
		if (write(fd, page, PAGE_BYTES) != PAGE_BYTES)
			die("write");
	}
	if (fsync(fd) < 0)
		die("fsync");
	close(fd);
}

static unsigned long number(const char *text, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value > most)
		usage(text);
	return value;
}

static int advice(const char *text)
{
	if (!strcmp(text, "random"))
		return MADV_RANDOM;
	if (!strcmp(text, "sequential"))
		return MADV_SEQUENTIAL;
	usage(text);
}

static void option(struct load *load, int letter, const char *value)
{
	switch (letter) {
	case 'p':
		load->pages = number(value, 1ul << 40);
		break;
	case 'f':
		load->path = value;
		break;
	case 'a':
		load->advice = advice(value);
		break;
	case 't':
		load->threads = number(value, THREADS_MOST);
		break;
	case 'P':
		load->parts = number(value, PARTS_MOST);
		break;
	case 'w':
		load->warm = number(value, 1ul << 40);
		break;
	case 's':
		load->seconds = atof(value);
		break;
	case 'd':
		load->depth = number(value, 1024);
		break;
	case 'u':
		load->unit = number(value, 4096);
		break;
	case 'm':
		load->mechanism = true;
		break;
	case 'D':
		load->daemon = number(value, 1 << 30);
		break;
	default:
		exit(64);
	}
}

static void parse(struct load *load, int argc, char **argv)
{
	static const struct option options[] = {
		{"pages", required_argument, NULL, 'p'},
		{"file", required_argument, NULL, 'f'},
		{"advice", required_argument, NULL, 'a'},
		{"threads", required_argument, NULL, 't'},
		{"parts", required_argument, NULL, 'P'},
		{"warm", required_argument, NULL, 'w'},
		{"seconds", required_argument, NULL, 's'},
		{"depth", required_argument, NULL, 'd'},
		{"unit", required_argument, NULL, 'u'},
		{"mechanism", no_argument, NULL, 'm'},
		{"daemon", required_argument, NULL, 'D'},
		{0},
	};
	int letter;

	while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1)
		option(load, letter, optarg);
	if (!load->pages || !load->threads || !load->unit || load->warm >= load->pages)
		usage("the number of pages, threads or units");
	if (!load->parts || load->pages % load->parts || (load->mechanism && load->parts > 1))
		usage("the number of parts");
	if (load->depth && !load->path)
		usage("--depth without --file");
	if (optind == argc)
		usage("no step");
}

static void run(struct load *load, char **texts)
{
	struct device *device = load->depth ? device_create(load) : NULL;
	struct step step;

	if (!device)
		mapped_init(load);
	for (; *texts; texts++) {
		if (step_parse(&step, load, *texts))
			usage(*texts);
		step_run(&step, load, device);
	}
	if (device)
		device_destroy(device);
	else
		mapped_finish(load);
}

int main(int argc, char **argv)
{
	struct load load = {.threads = 1, .parts = 1, .unit = 1, .advice = MADV_NORMAL};

	parse(&load, argc, argv);
	if (!strcmp(argv[optind], "create")) {
		create(&load);
		return 0;
	}
	load.versions = side_alloc(load.pages);
	if (!load.versions)
		die("memory for the versions");
	if (load.path)
		memset(load.versions, 1, load.pages);
	run(&load, argv + optind);
	return 0;
}
