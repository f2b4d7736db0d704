/* SPDX-License-Identifier: MIT */
/* Learned sets: to the daemon, and from it into files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "learned.h"
#include "learned_sum.h"
#include "pagerctl.h"
#include "wire.h"

static int failed(const char *what, int error)
{
	complain("%s: %s", what, strerror(-error));
	return STATUS_RUN_FAILED;
}

static uint64_t mtime_ns(const struct stat *status)
{
	return (uint64_t)status->st_mtim.tv_sec * 1000000000ull + (uint64_t)status->st_mtim.tv_nsec;
}

int learned_start(int socket, bool record, uint64_t *number)
{
	struct pagerd_learn request = {.flags = record ? PAGERD_LEARN_RECORD : 0};
	struct pagerd_learn_reply reply;
	wire_header(&request.h, PAGERD_LEARN, sizeof(request));
	int result = wire_call(socket, &request.h, -1, &reply.h, sizeof(reply), NULL);
	if (result < 0)
		return failed("run: --learn, --prefetch", result);
	*number = reply.number;
	return 0;
}

/* ---- to the daemon --------------------------------------------------------------------------- */

static int file_send(int socket, const struct learned_file *file, const struct stat *status)
{
	for (size_t sent = 0; sent < file->range_count;) {
		struct pagerd_learn_pages request = {
			.device = status->st_dev,
			.inode = status->st_ino,
		};
		struct pagerd_header reply;
		while (request.count < PAGERD_LEARN_RANGES && sent < file->range_count)
			request.ranges[request.count++] = file->ranges[sent++];
		wire_header(&request.h, PAGERD_LEARN_PAGES, sizeof(request));
		int result = wire_call(socket, &request.h, -1, &reply, sizeof(reply), NULL);
		if (result < 0)
			return failed("run: --prefetch", result);
	}
	return 0;
}

int learned_send(int socket, const struct learned *learned)
{
	for (size_t i = 0; i < learned->file_count; i++) {
		const struct learned_file *file = &learned->files[i];
		struct stat status;
		/* What has changed since, or gone, is not what was learned. */
		if (stat(file->path, &status) < 0 || (uint64_t)status.st_size != file->size ||
		    mtime_ns(&status) != file->mtime_ns)
			continue;
		int result = file_send(socket, file, &status);
		if (result != 0)
			return result;
	}
	return 0;
}

/* ---- from the daemon ------------------------------------------------------------------------- */

struct writer {
	FILE *out;
	uint64_t sum;
	bool skip; /* the lines up to the next file */
};

__attribute__((format(printf, 2, 3))) static void line_write(struct writer *writer,
							     const char *format, ...)
{
	char line[4 * PATH_MAX + 64];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (length < 0 || length >= (int)sizeof(line))
		return;
	writer->sum = learned_sum(writer->sum, line, (size_t)length);
	fwrite(line, 1, (size_t)length, writer->out);
}

/* The path as it was before its escapes. */
static void path_plain(const char *escaped, char *path, size_t bytes)
{
	size_t length = 0;
	while (*escaped && length + 1 < bytes) {
		char c = *escaped++;
		if (c == '\\' && escaped[0] && escaped[1] && escaped[2]) {
			c = (char)((escaped[0] - '0') * 64 + (escaped[1] - '0') * 8 + escaped[2] -
				   '0');
			escaped += 3;
		}
		path[length++] = c;
	}
	path[length] = 0;
}

/* The file of a report's line, unless it has gone or there is another in its place. */
static void file_write(struct writer *writer, const char *line)
{
	unsigned long long device, inode;
	char path[PATH_MAX];
	struct stat status;
	int at = 0;
	writer->skip = true;
	if (sscanf(line, "file %llu %llu %n", &device, &inode, &at) != 2 || line[at] != '/')
		return;
	path_plain(line + at, path, sizeof(path));
	if (stat(path, &status) < 0 || status.st_dev != device || status.st_ino != inode)
		return;
	writer->skip = false;
	line_write(writer, "file %llu %llu %s\n", (unsigned long long)status.st_size,
		   (unsigned long long)mtime_ns(&status), line + at);
}

/* report: NULL if it is empty. */
static void report_write(FILE *report, FILE *out)
{
	struct writer writer = {.out = out, .sum = LEARNED_SUM_START};
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	line_write(&writer, LEARNED_HEADER "\n");
	while (report && (length = getline(&line, &room, report)) > 0) {
		line[length - 1] = 0;
		if (strncmp(line, "file ", 5) == 0)
			file_write(&writer, line);
		else if (!writer.skip)
			line_write(&writer, "%s\n", line);
	}
	free(line);
	fprintf(out, "end %016llx\n", (unsigned long long)writer.sum);
}

int learned_try(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return failed(path, -errno);
	close(fd);
	return 0;
}

int learned_save(int socket, const char *path)
{
	char *text = NULL;
	size_t length = 0;
	FILE *report = open_memstream(&text, &length);
	int result =
		report ? control_report(socket, PAGERD_REPORT_LEARNED, 0, false, report) : -ENOMEM;
	if (report && fclose(report) != 0 && result == 0)
		result = -ENOMEM;
	report = result == 0 && length > 0 ? fmemopen(text, length, "r") : NULL;
	FILE *out = result == 0 ? fopen(path, "we") : NULL;
	if (result == 0 && !out)
		result = -errno;
	if (out) {
		report_write(report, out);
		bool error = ferror(out);
		if (fclose(out) != 0 || error)
			result = -EIO;
	}
	if (report)
		fclose(report);
	free(text);
	return result < 0 ? failed(path, result) : 0;
}
