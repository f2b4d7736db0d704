/* SPDX-License-Identifier: MIT */
/* Writing reports. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const char *path, int error, struct why *why)
{
	return why_say(why, error, "%s: cannot be written: %s", path, strerror(-error));
}

static bool is_special(const char *path)
{
	struct stat status;
	return strcmp(path, "-") == 0 || (!stat(path, &status) && !S_ISREG(status.st_mode));
}

/* A name beside the file itself, which path may be a link to. */
static int temporary_name(const char *path, char target[PATH_MAX], char name[PATH_MAX])
{
	if (!realpath(path, target) && snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	return snprintf(name, PATH_MAX, "%s.XXXXXX", target) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Make it, with the mode that open would have given it. */
static int temporary_open(char *name)
{
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mode_t mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	return fd;
}

int output_check(const char *path, struct why *why)
{
	char target[PATH_MAX], name[PATH_MAX];
	if (!path || is_special(path))
		return 0;
	int fd = temporary_name(path, target, name);
	if (!fd)
		fd = temporary_open(name);
	if (fd < 0)
		return cannot(path, fd, why);
	close(fd);
	unlink(name);
	return 0;
}

/* Write and close. */
static int write_to(FILE *file, report_write write, const struct report *report)
{
	int error = 0;
	write(file, report);
	if (fflush(file) || ferror(file))
		error = errno ? -errno : -EIO;
	if (file != stdout && fclose(file) && !error)
		error = -errno;
	return error;
}

static int write_special(const char *path, report_write write, const struct report *report)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	return file ? write_to(file, write, report) : -errno;
}

static int write_regular(const char *path, report_write write, const struct report *report)
{
	char target[PATH_MAX], name[PATH_MAX];
	int error = temporary_name(path, target, name);
	if (error)
		return error;
	int fd = temporary_open(name);
	if (fd < 0)
		return fd;
	FILE *file = fdopen(fd, "w");
	error = file ? write_to(file, write, report) : -errno;
	if (!error && rename(name, target))
		error = -errno;
	if (error)
		unlink(name);
	return error;
}

int output_write(const char *path, report_write write, const struct report *report, struct why *why)
{
	int error = is_special(path) ? write_special(path, write, report)
				     : write_regular(path, write, report);
	return error ? cannot(path, error, why) : 0;
}
