/* SPDX-License-Identifier: MIT */
/* Decompression by libzstd. */
#include "inflate.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

bool inflate_is_magic(const unsigned char *bytes, size_t count)
{
	return count >= INFLATE_MAGIC_BYTES && memcmp(bytes, "\x28\xb5\x2f\xfd", 4) == 0;
}

#ifdef HAVE_ZSTD
#include <zstd.h>

#define RAW_BYTES INPUT_WINDOW_BYTES /* what was read to find out fits */

struct inflate {
	ZSTD_DStream *stream;
	ZSTD_inBuffer raw;
	uint64_t raw_before; /* bytes of the input before those of raw */
	bool in_frame;
	unsigned char bytes[RAW_BYTES];
};

bool inflate_is_built(void)
{
	return true;
}

int inflate_create(struct inflate **inflate, const unsigned char *bytes, size_t count,
		   const char *name, struct why *why)
{
	struct inflate *made = malloc(sizeof *made);
	ZSTD_DStream *stream = made ? ZSTD_createDStream() : NULL;
	if (!stream) {
		free(made);
		return why_say(why, -ENOMEM, "%s: no memory to decompress it", name);
	}
	made->stream = stream;
	made->raw = (ZSTD_inBuffer){made->bytes, count, 0};
	made->raw_before = 0;
	made->in_frame = false;
	memcpy(made->bytes, bytes, count);
	*inflate = made;
	return 0;
}

void inflate_destroy(struct inflate *inflate)
{
	if (inflate)
		ZSTD_freeDStream(inflate->stream);
	free(inflate);
}

static int raw_refill(struct inflate *inflate, struct input *input, struct why *why)
{
	if (inflate->raw.pos < inflate->raw.size)
		return 0;
	inflate->raw_before += inflate->raw.size;
	inflate->raw.pos = 0;
	inflate->raw.size = 0;
	return input_read_raw(input, inflate->bytes, RAW_BYTES, &inflate->raw.size, why);
}

static int step(struct inflate *inflate, const struct input *input, ZSTD_outBuffer *out,
		struct why *why)
{
	size_t left = ZSTD_decompressStream(inflate->stream, out, &inflate->raw);
	unsigned long long at = inflate->raw_before + inflate->raw.pos;
	if (ZSTD_isError(left))
		return why_say(why, -EILSEQ, "%s: byte %llu of the compressed file: zstd: %s",
			       input->name, at, ZSTD_getErrorName(left));
	inflate->in_frame = left != 0;
	return 0;
}

int inflate_read(struct inflate *inflate, struct input *input, unsigned char *bytes, size_t room,
		 size_t *got, struct why *why)
{
	ZSTD_outBuffer out = {bytes, room, 0};
	while (!out.pos) {
		int error = raw_refill(inflate, input, why);
		if (error)
			return error;
		bool end = inflate->raw.pos == inflate->raw.size;
		if (end && !inflate->in_frame)
			break;
		error = step(inflate, input, &out, why);
		if (error)
			return error;
		if (end && !out.pos)
			return why_say(why, -EILSEQ,
				       "%s: truncated: the compressed file ends at byte %llu in "
				       "the middle",
				       input->name, (unsigned long long)inflate->raw_before);
	}
	*got = out.pos;
	return 0;
}

#else

bool inflate_is_built(void)
{
	return false;
}

int inflate_create(struct inflate **inflate, const unsigned char *bytes, size_t count,
		   const char *name, struct why *why)
{
	(void)inflate;
	(void)bytes;
	(void)count;
	return why_say(
		why, -ENOTSUP,
		"%s: it is compressed with zstd, and this pagersim was built without libzstd "
		"(try: zstdcat %s | pagersim ... -)",
		name, name);
}

void inflate_destroy(struct inflate *inflate)
{
	(void)inflate;
}

int inflate_read(struct inflate *inflate, struct input *input, unsigned char *bytes, size_t room,
		 size_t *got, struct why *why)
{
	(void)inflate;
	(void)input;
	(void)bytes;
	(void)room;
	(void)got;
	return why_say(why, -ENOTSUP, "no libzstd");
}

#endif
