/* SPDX-License-Identifier: MIT */
/* The processes that a command has started, and theirs. */
#include "descendant.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its parent; -1 if it is no process, or not any more. */
static pid_t parent_of(const char *process)
{
	char path[40], text[200];
	int parent = -1;
	snprintf(path, sizeof(path), "/proc/%.20s/stat", process);
	FILE *file = fopen(path, "re");
	if (!file)
		return -1;
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	fclose(file);
	const char *name_end = strrchr(text, ')'); /* names may hold anything */
	if (!name_end || sscanf(name_end, ") %*c %d", &parent) != 1)
		return -1;
	return parent;
}

/* Our children, those that have ended included; free(3) it. Not every kernel has
 * /proc/PID/task/TID/children. */
static pid_t *children(size_t *count)
{
	pid_t *list = NULL, self = getpid();
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	*count = 0;
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    parent_of(entry->d_name) != self)
			continue;
		pid_t *longer = realloc(list, (*count + 1) * sizeof(*list));
		if (!longer)
			break;
		list = longer;
		list[(*count)++] = atoi(entry->d_name);
	}
	if (directory)
		closedir(directory);
	return list;
}

void descendants_prepare(struct descendants *descendants)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	descendants->others = children(&descendants->other_count);
}

void descendants_finish(struct descendants *descendants)
{
	free(descendants->others);
}

void descendants_reap(pid_t command, pid_t daemon)
{
	siginfo_t child = {.si_pid = 0};
	while (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != 0 &&
	       child.si_pid != command && child.si_pid != daemon)
		waitpid(child.si_pid, NULL, 0);
}

static bool other(const struct descendants *descendants, pid_t pid)
{
	for (size_t i = 0; i < descendants->other_count; i++)
		if (descendants->others[i] == pid)
			return true;
	return false;
}

/* One generation: their own children are ours when we have waited for them, and nobody but us
 * waits, so none is passed over. Were there any? */
static bool generation_kill(const struct descendants *descendants)
{
	size_t count, killed = 0;
	pid_t *list = children(&count);
	for (size_t i = 0; i < count; i++)
		if (!other(descendants, list[i]) && kill(list[i], SIGKILL) == 0)
			list[killed++] = list[i];
	for (size_t i = 0; i < killed; i++)
		waitpid(list[i], NULL, 0);
	free(list);
	return killed > 0;
}

void descendants_kill(const struct descendants *descendants)
{
	while (generation_kill(descendants))
		;
}
