/* SPDX-License-Identifier: MIT */
/* Where the parts of an installation, or of a build tree, are. */
#include "locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int locate_usable(const char *path, int mode)
{
	struct stat status;
	if (access(path, mode) < 0 || stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return -ENOENT;
	return 0;
}

/* The first of places (relative to this program's folder) that is there. */
static int locate_beside(const char *const *places, int mode, char *path)
{
	char self[LOCATE_MAX / 2];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length < 0)
		return -ENOENT;
	self[length] = 0;
	*strrchr(self, '/') = 0;
	for (; *places; places++) {
		int bytes = snprintf(path, LOCATE_MAX, "%s/%s", self, *places);
		if (bytes < LOCATE_MAX && locate_usable(path, mode) == 0)
			return 0;
	}
	return -ENOENT;
}

static int locate_named(const char *variable, int mode, char *path)
{
	const char *value = getenv(variable);
	if (!value || strlen(value) >= LOCATE_MAX || locate_usable(value, mode) < 0)
		return -ENOENT;
	strcpy(path, value);
	return 0;
}

int locate_command(const char *name, char *path)
{
	const char *list = getenv("PATH");
	if (strchr(name, '/')) {
		int bytes = snprintf(path, LOCATE_MAX, "%s", name);
		return bytes < LOCATE_MAX ? locate_usable(path, X_OK) : -ENOENT;
	}
	while (list && *list) {
		size_t length = strcspn(list, ":");
		int bytes = snprintf(path, LOCATE_MAX, "%.*s/%s", (int)length, length ? list : ".",
				     name);
		if (bytes < LOCATE_MAX && locate_usable(path, X_OK) == 0)
			return 0;
		list += length + (list[length] == ':');
	}
	return -ENOENT;
}

int locate_daemon(char *path)
{
	static const char *const places[] = {"../daemon/pagerd", "pagerd", "../sbin/pagerd",
					     "../bin/pagerd", NULL};
	if (getenv("PAGERD_DAEMON"))
		return locate_named("PAGERD_DAEMON", X_OK, path);
	if (locate_beside(places, X_OK, path) == 0)
		return 0;
	return locate_command("pagerd", path);
}

int locate_preload(char *path)
{
	static const char *const places[] = {
		"libpagerd-preload.so",
		"../lib/libpagerd-preload.so",
		"../lib/" LIBRARY_TRIPLET "/libpagerd-preload.so",
		"../lib64/libpagerd-preload.so",
		NULL,
	};
	if (getenv("PAGERD_PRELOAD"))
		return locate_named("PAGERD_PRELOAD", R_OK, path);
	return locate_beside(places, R_OK, path);
}
