/* SPDX-License-Identifier: MIT */
/* Where the bytes of a trace come from. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inflate.h"

int input_read_raw(struct input *input, unsigned char *bytes, size_t room, size_t *got,
		   struct why *why)
{
	if (input->fd < 0) {
		*got = input->memory_bytes < room ? input->memory_bytes : room;
		if (*got)
			memcpy(bytes, input->memory, *got);
		input->memory += *got;
		input->memory_bytes -= *got;
		return 0;
	}
	ssize_t count;
	do
		count = read(input->fd, bytes, room);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return why_say(why, -errno, "%s: cannot be read: %s", input->name, strerror(errno));
	*got = (size_t)count;
	return 0;
}

static int read_more(struct input *input, struct why *why)
{
	unsigned char *bytes = input->window + input->start + input->used;
	size_t room = (size_t)(input->window + INPUT_WINDOW_BYTES - bytes), got = 0;
	int error = input->inflate ? inflate_read(input->inflate, input, bytes, room, &got, why)
				   : input_read_raw(input, bytes, room, &got, why);
	if (error)
		return error;
	input->used += got;
	input->end = !got;
	return 0;
}

int input_fill(struct input *input, size_t count, struct why *why)
{
	if (input->used >= count || input->end)
		return 0;
	memmove(input->window, input_bytes(input), input->used);
	input->start = 0;
	while (input->used < count && !input->end) {
		int error = read_more(input, why);
		if (error)
			return error;
	}
	return 0;
}

/* What compressed data begin with tells them, not the name of the file. */
static int begin(struct input *input, struct why *why)
{
	int error = input_fill(input, INFLATE_MAGIC_BYTES, why);
	if (error || !inflate_is_magic(input_bytes(input), input->used))
		return error;
	error = inflate_create(&input->inflate, input_bytes(input), input->used, input->name, why);
	input->used = 0;
	input->end = false;
	return error;
}

static int window_make(struct input *input, struct why *why)
{
	input->window = malloc(INPUT_WINDOW_BYTES);
	if (!input->window)
		return why_say(why, -ENOMEM, "%s: no memory to read it", input->name);
	int error = begin(input, why);
	if (error)
		input_close(input);
	return error;
}

int input_open(struct input *input, const char *path, struct why *why)
{
	*input = (struct input){.name = path};
	if (strcmp(path, "-") == 0) {
		input->name = "standard input";
		input->fd = STDIN_FILENO;
		return window_make(input, why);
	}
	input->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (input->fd < 0)
		return why_say(why, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	return window_make(input, why);
}

int input_open_memory(struct input *input, const void *bytes, size_t count, struct why *why)
{
	*input = (struct input){.name = "memory", .fd = -1, .memory = bytes, .memory_bytes = count};
	return window_make(input, why);
}

void input_close(struct input *input)
{
	inflate_destroy(input->inflate);
	free(input->window);
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	input->inflate = NULL;
	input->window = NULL;
	input->fd = -1;
}
