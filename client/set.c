/* SPDX-License-Identifier: MIT */
/* pagerctl set: settings of the daemon, of a process, of an object. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "pagerctl.h"
#include "size.h"

struct settings {
	char text[sizeof(((struct pagerd_set *)0)->text)];
	size_t length;
	uint32_t pid;
	const char *file; /* NULL: none */
};

/* Whether word is name, which ends in "=", with a value. */
static bool word_is(const char *word, const char *name)
{
	return strncmp(word, name, strlen(name)) == 0;
}

static bool memory_wrong(const char *size)
{
	uint64_t bytes;
	return strcmp(size, "none") != 0 && size_parse(size, &bytes) < 0;
}

static int word_check(const char *word)
{
	static const char *const names[] = {
		"memory=", "policy=", "unit=", "object=", "address=", "file="};
	if (strcmp(word, "default") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!word_is(word, names[i]))
			continue;
		if (!word[strlen(names[i])])
			return usage_error(word, "has no value");
		if (i == 0 && memory_wrong(word + strlen(names[i])))
			return usage_error(word, "not a size (such as 64M, or none)");
		return strchr(word, ' ') && strcmp(names[i], "file=")
			       ? usage_error(word, "has a blank in it")
			       : 0;
	}
	return usage_error(
		word, "not a setting (memory=SIZE, policy=P, unit=SIZE, default) and not a target "
		      "(object=N, file=PATH, address=HEX)");
}

static int word_add(struct settings *settings, const char *word)
{
	if (word_is(word, "file=")) {
		if (settings->file)
			return usage_error(word, "a file was named already");
		settings->file = word + strlen("file=");
		return 0;
	}
	size_t room = sizeof(settings->text) - settings->length;
	int added = snprintf(settings->text + settings->length, room, "%s%s",
			     settings->length ? " " : "", word);
	if ((size_t)added >= room)
		return usage_error(word, "the settings are too long");
	settings->length += (size_t)added;
	return 0;
}

static int set_parse(int argc, char **argv, struct settings *settings)
{
	int first = argc > 1 && pid_parse(argv[1], &settings->pid) == 0 ? 2 : 1;
	for (int i = first; i < argc; i++) {
		int status = word_check(argv[i]);
		if (status == 0)
			status = word_add(settings, argv[i]);
		if (status != 0)
			return status;
	}
	return settings->length
		       ? 0
		       : usage_error("set", "needs memory=SIZE, policy=P, unit=SIZE or default");
}

/* The file, opened so that nothing can be done with it but to say which it is. */
static int file_open(const char *path)
{
	struct stat status;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		usage_error(path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		usage_error(path, "not a regular file");
		close(fd);
		fd = -1;
	}
	return fd;
}

static void set_complain(const struct settings *settings, int error, const char *why)
{
	char nobody[80];
	snprintf(nobody, sizeof(nobody), "process %u is no client of the daemon, or not yours",
		 settings->pid);
	if (error == -ESRCH)
		why = nobody;
	else if (error == -ENOENT)
		why = "nothing paged is that, or it is not yours alone";
	else if (error < 0)
		why = strerror(-error);
	complain("set %s%s%s: %s", settings->text, settings->file ? " file=" : "",
		 settings->file ? settings->file : "", why);
}

int set_main(int argc, char **argv, const char *socket_option)
{
	struct settings settings = {.length = 0};
	char why[512] = "";
	int status = set_parse(argc, argv, &settings), file = -1;
	if (status == 0 && settings.file && (file = file_open(settings.file)) < 0)
		status = STATUS_USAGE;
	if (status != 0)
		return status;
	int socket = daemon_open(socket_option);
	if (socket < 0)
		return STATUS_UNAVAILABLE;
	int result = control_set(socket, settings.pid, settings.text, file, why, sizeof(why));
	close(socket);
	if (result == 0 && !why[0])
		return 0;
	set_complain(&settings, result, why);
	return STATUS_REFUSED;
}
