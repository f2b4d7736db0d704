/* SPDX-License-Identifier: MIT */
/* The command line of stress. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void usage(const char *wrong)
{
	fprintf(stderr,
		"stress: %s\n"
		"usage: stress [-s SEED] [-n OPERATIONS] [-t THREADS] [-p PROCESSES] [-g PAGES]\n"
		"              [-m private,shared,file] [-f FILE] [-d uniform|zipf|sequential]\n"
		"              [-w WRITE%%] [-y SYSCALL%%] [-x DISCARD%%] [-k TICK] [-A] [-o "
		"STATE]\n"
		"       stress -f FILE -V STATE\n"
		"-n counts for each thread, -t for each process, -g for each kind of memory.\n"
		"-A takes the memory from libpagerd. -o keeps what FILE must hold, -V checks it.\n",
		wrong);
	exit(64);
}

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || value < least || value > most)
		usage("a number is wrong");
	return value;
}

static size_t name_index(const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(text, names[i]))
			return i;
	}
	usage("a name is wrong");
}

static void parse_kinds(struct options *options, char *text)
{
	memset(options->kinds, 0, sizeof(options->kinds));
	for (char *name = strtok(text, ","); name; name = strtok(NULL, ","))
		options->kinds[name_index(name, kind_names, KINDS)] = true;
}

static void parse_one(struct options *options, int letter, char *value)
{
	static const char *const distributions[] = {"uniform", "zipf", "sequential"};

	switch (letter) {
	case 's':
		options->seed = number(value, 0, UINT64_MAX);
		break;
	case 'n':
		options->operations = number(value, 1, UINT64_MAX);
		break;
	case 't':
		options->threads = number(value, 1, 256);
		break;
	case 'p':
		options->processes = number(value, 1, 256);
		break;
	case 'g':
		options->pages = number(value, 1, 1 << 26);
		break;
	case 'm':
		parse_kinds(options, value);
		break;
	case 'f':
		options->file = value;
		break;
	case 'd':
		options->distribution = name_index(value, distributions, 3);
		break;
	case 'w':
		options->write_percent = number(value, 0, 100);
		break;
	case 'y':
		options->syscall_percent = number(value, 0, 100);
		break;
	case 'x':
		options->discard_percent = number(value, 0, 100);
		break;
	case 'k':
		options->tick = number(value, 1, UINT64_MAX);
		break;
	case 'A':
		options->api = true;
		break;
	case 'o':
		options->save = value;
		break;
	case 'V':
		options->verify = value;
		break;
	default:
		usage("an option is wrong");
	}
}

void options_parse(struct options *options, int argc, char **argv)
{
	int letter;

	*options = (struct options){
		.seed = 1,
		.operations = 100000,
		.pages = 16384,
		.threads = 4,
		.processes = 1,
		.write_percent = 40,
		.syscall_percent = 10,
		.discard_percent = 1,
		.kinds = {[KIND_PRIVATE] = true},
	};
	while ((letter = getopt(argc, argv, "s:n:t:p:g:m:f:d:w:y:x:k:Ao:V:")) >= 0)
		parse_one(options, letter, optarg);
	if (optind != argc)
		usage("there is a word too many");
	if ((options->kinds[KIND_FILE] || options->verify) && !options->file)
		usage("the file needs a name (-f)");
}
