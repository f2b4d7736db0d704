/* SPDX-License-Identifier: MIT */
/* A memory cgroup for one run. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ------------------------------------------------------------------------------- */

static int file_write(const struct cgroup *group, const char *name, const char *text)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", group->path, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int error = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return error;
}

static int file_write_number(const struct cgroup *group, const char *name, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	return file_write(group, name, text);
}

/* Does a file of words and numbers have this word; *number is what stands behind it. */
static bool file_find(const char *directory, const char *name, const char *word, uint64_t *number)
{
	char path[PATH_MAX + 64], line[256];
	bool found = false;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof line, file)) {
		char *rest = line, *each;
		while (!found && (each = strsep(&rest, " \n")))
			found = !strcmp(each, word);
		if (found && rest && number)
			*number = strtoull(rest, NULL, 10);
	}
	if (file)
		fclose(file);
	return found;
}

/* ---- where groups are -------------------------------------------------------------------- */

/* Our own group of the version 1 controller: "7:memory:/path". */
static void own_v1(char *path, size_t bytes)
{
	char line[PATH_MAX];
	FILE *file = fopen("/proc/self/cgroup", "re");
	*path = 0;
	while (file && fgets(line, sizeof line, file)) {
		char *rest = line, *each;
		strsep(&rest, ":");
		char *controllers = strsep(&rest, ":");
		while (controllers && rest && (each = strsep(&controllers, ",")))
			if (!strcmp(each, "memory"))
				snprintf(path, bytes, "%.*s", (int)strcspn(rest, "\n"), rest);
	}
	if (file)
		fclose(file);
}

static bool parent_v1(struct cgroup *group, const struct mntent *mount)
{
	char own[PATH_MAX];
	struct stat status;
	if (strcmp(mount->mnt_type, "cgroup") || !hasmntopt(mount, "memory"))
		return false;
	own_v1(own, sizeof own);
	size_t length = strlen(own);
	if (length && own[length - 1] == '/')
		own[length - 1] = 0;
	group->version = 1;
	snprintf(group->path, sizeof group->path, "%s%s", mount->mnt_dir, own);
	if (stat(group->path, &status))
		snprintf(group->path, sizeof group->path, "%s", mount->mnt_dir);
	return true;
}

/* Only the root may hold processes beside groups that have controllers: groups are made there. */
static bool parent_v2(struct cgroup *group, const struct mntent *mount)
{
	if (strcmp(mount->mnt_type, "cgroup2") ||
	    !file_find(mount->mnt_dir, "cgroup.controllers", "memory", NULL))
		return false;
	group->version = 2;
	snprintf(group->path, sizeof group->path, "%s", mount->mnt_dir);
	if (!file_find(mount->mnt_dir, "cgroup.subtree_control", "memory", NULL))
		file_write(group, "cgroup.subtree_control", "+memory");
	return file_find(mount->mnt_dir, "cgroup.subtree_control", "memory", NULL);
}

static bool parent_find(struct cgroup *group)
{
	struct mntent *mount;
	bool found = false;
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	while (mounts && !found && (mount = getmntent(mounts)))
		found = parent_v1(group, mount) || parent_v2(group, mount);
	if (mounts)
		endmntent(mounts);
	return found;
}

/* ---- groups ------------------------------------------------------------------------------ */

int cgroup_make(struct cgroup *group, uint64_t bytes, char *why, size_t why_bytes)
{
	if (!parent_find(group)) {
		snprintf(why, why_bytes, "no memory cgroup controller is mounted");
		return -ENOENT;
	}
	size_t length = strlen(group->path);
	snprintf(group->path + length, sizeof group->path - length, "/pagerbench.%d",
		 (int)getpid());
	if (mkdir(group->path, 0700) && errno != EEXIST) {
		int error = -errno;
		snprintf(why, why_bytes, "no cgroup can be made: %s: %s", group->path,
			 strerror(-error));
		return error;
	}
	int error = file_write_number(
		group, group->version == 1 ? "memory.limit_in_bytes" : "memory.max", bytes);
	if (error) {
		snprintf(why, why_bytes, "%s: the limit: %s", group->path, strerror(-error));
		cgroup_remove(group);
	}
	return error;
}

int cgroup_enter(const struct cgroup *group)
{
	return file_write_number(group, "cgroup.procs", (uint64_t)getpid());
}

uint64_t cgroup_kills(const struct cgroup *group)
{
	uint64_t kills = 0;
	file_find(group->path, group->version == 1 ? "memory.oom_control" : "memory.events",
		  "oom_kill", &kills);
	return kills;
}

/* What its last process used may still be on its way back. */
void cgroup_remove(const struct cgroup *group)
{
	for (int tries = 0; rmdir(group->path) && errno == EBUSY && tries < 100; tries++)
		usleep(20000);
}
