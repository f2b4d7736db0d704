/* SPDX-License-Identifier: MIT */
/* Learned sets in files: how they are read. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learned.h"
#include "learned_sum.h"
#include "pagerctl.h"

#define PAGES_MAX (1ull << 32) /* of a file */

struct reader {
	const char *path;
	FILE *file;
	unsigned line_number;
	uint64_t sum; /* of the lines before this one */
	uint64_t sum_next;
	char *line; /* without its end */
	size_t room;
};

static int wrong(const struct reader *reader, const char *why)
{
	complain("%s:%u: %s", reader->path, reader->line_number, why);
	return STATUS_RUN_FAILED;
}

static int no_memory(const struct reader *reader)
{
	return wrong(reader, "not enough memory");
}

static int line_read(struct reader *reader)
{
	reader->line_number++;
	reader->sum = reader->sum_next;
	errno = 0;
	ssize_t length = getline(&reader->line, &reader->room, reader->file);
	if (length < 0)
		return wrong(reader, errno ? strerror(errno) : "the file ends too early");
	reader->sum_next = learned_sum(reader->sum, reader->line, (size_t)length);
	if (strlen(reader->line) != (size_t)length)
		return wrong(reader, "has a zero byte");
	if (reader->line[length - 1] != '\n')
		return wrong(reader, "the file ends too early");
	reader->line[length - 1] = 0;
	return 0;
}

/* A decimal number that ends with the character end, behind which *text is then. */
static bool number_take(char **text, char end, uint64_t *number)
{
	char *rest;
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &rest, 10);
	if (errno || *rest != end)
		return false;
	*text = rest + 1;
	return true;
}

/* Undo the escapes, in place. */
static bool path_take(char *path)
{
	char *to = path;
	for (const char *from = path; *from; to++) {
		*to = *from++;
		if (*to != '\\')
			continue;
		int value = 0;
		for (int i = 0; i < 3; i++, from++) {
			if (*from < '0' || *from > '7')
				return false;
			value = value * 8 + *from - '0';
		}
		if (value == 0 || value > 255)
			return false;
		*to = (char)value;
	}
	*to = 0;
	return path[0] == '/';
}

static int file_add(struct reader *reader, struct learned *learned, char *text)
{
	struct learned_file file = {.size = 0};
	if (!number_take(&text, ' ', &file.size) || !number_take(&text, ' ', &file.mtime_ns))
		return wrong(reader, "not a size and a time");
	if (!path_take(text))
		return wrong(reader, "not an absolute path");
	void *files = reallocarray(learned->files, learned->file_count + 1, sizeof(file));
	if (!files)
		return no_memory(reader);
	learned->files = files;
	file.path = strdup(text);
	if (!file.path)
		return no_memory(reader);
	learned->files[learned->file_count++] = file;
	return 0;
}

static int range_add(struct reader *reader, struct learned *learned)
{
	struct pagerd_pages range;
	char *text = reader->line;
	if (!number_take(&text, ' ', &range.page) || !number_take(&text, 0, &range.count))
		return wrong(reader, "not a page and a number of pages");
	if (learned->file_count == 0)
		return wrong(reader, "pages of no file");
	struct learned_file *file = &learned->files[learned->file_count - 1];
	const struct pagerd_pages *last =
		file->range_count ? &file->ranges[file->range_count - 1] : NULL;
	if (range.count == 0 || range.page >= PAGES_MAX || range.count > PAGES_MAX - range.page)
		return wrong(reader, "no file has these pages");
	if (last && range.page < last->page + last->count)
		return wrong(reader, "pages out of order");
	/* Room doubles at every power of two. */
	if ((file->range_count & (file->range_count - 1)) == 0) {
		size_t room = file->range_count ? 2 * file->range_count : 1;
		void *ranges = reallocarray(file->ranges, room, sizeof(range));
		if (!ranges)
			return no_memory(reader);
		file->ranges = ranges;
	}
	file->ranges[file->range_count++] = range;
	return 0;
}

static int end_check(struct reader *reader, const char *text)
{
	char wanted[20];
	snprintf(wanted, sizeof(wanted), "%016llx", (unsigned long long)reader->sum);
	if (strcmp(text, wanted) != 0)
		return wrong(reader, "the sum is wrong: the file is damaged");
	reader->line_number++;
	return getc(reader->file) == EOF ? 0 : wrong(reader, "something follows the end");
}

static int file_read(struct reader *reader, struct learned *learned)
{
	int status = line_read(reader);
	if (status == 0 && strcmp(reader->line, LEARNED_HEADER) != 0)
		return wrong(reader, strncmp(reader->line, LEARNED_WORD, strlen(LEARNED_WORD))
					     ? "not a file that --learn has written"
					     : "a format of another version of pagerctl");
	while (status == 0 && (status = line_read(reader)) == 0) {
		if (strncmp(reader->line, "end ", 4) == 0)
			return end_check(reader, reader->line + 4);
		if (strncmp(reader->line, "file ", 5) == 0)
			status = file_add(reader, learned, reader->line + 5);
		else
			status = range_add(reader, learned);
	}
	return status;
}

int learned_read(struct learned *learned, const char *path)
{
	struct reader reader = {.path = path, .sum_next = LEARNED_SUM_START};
	*learned = (struct learned){.files = NULL};
	reader.file = fopen(path, "re");
	if (!reader.file) {
		complain("%s: %s", path, strerror(errno));
		return STATUS_RUN_FAILED;
	}
	int status = file_read(&reader, learned);
	fclose(reader.file);
	free(reader.line);
	return status;
}

void learned_finish(struct learned *learned)
{
	for (size_t i = 0; i < learned->file_count; i++) {
		free(learned->files[i].path);
		free(learned->files[i].ranges);
	}
	free(learned->files);
	*learned = (struct learned){.files = NULL};
}
