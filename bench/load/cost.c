/* SPDX-License-Identifier: MIT */
/* What another process takes, as /proc has it. */
#include "cost.h"

#include <dirent.h>
#include <stdio.h>

#include "load.h"

enum { PATH_BYTES = 300, LINE_BYTES = 200 };

static double thread_cpu_us(pid_t pid, const char *thread)
{
	char path[PATH_BYTES];
	unsigned long long ns = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, thread);
	file = fopen(path, "re");
	if (!file)
		return 0; /* it has ended */
	if (fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	fclose(file);
	return ns / 1e3;
}

double cost_cpu_us(pid_t pid)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	double sum = 0;
	DIR *threads;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (!threads)
		die(path);
	while ((entry = readdir(threads)))
		if (entry->d_name[0] != '.')
			sum += thread_cpu_us(pid, entry->d_name);
	closedir(threads);
	return sum;
}

double cost_memory_mib(pid_t pid)
{
	char path[PATH_BYTES], line[LINE_BYTES];
	double sum = 0;
	long kib;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		die(path);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "RssAnon: %ld", &kib) == 1 ||
		    sscanf(line, "VmPTE: %ld", &kib) == 1)
			sum += kib / 1024.0;
	fclose(file);
	return sum;
}
