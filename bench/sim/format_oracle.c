/* SPDX-License-Identifier: MIT */
/*
 * oracleGeneral, the format of libCacheSim's public traces: no header, packed little-endian
 * records of u32 time, u64 id, u32 size, i64 next use. Only the id is used.
 */
#include <errno.h>

#include "format.h"
#include "format_sample.h"

#define RECORD_BYTES 24u

static uint64_t get(const unsigned char *bytes, unsigned count)
{
	uint64_t value = 0;
	while (count--)
		value = value << 8 | bytes[count];
	return value;
}

/* A next use is a small number, or one of those that stand for none. */
static bool next_is_plausible(int64_t next)
{
	return next >= -2 && (next < (int64_t)1 << 48 || next == INT64_MAX);
}

/* Without a header, only the sense of its fields can tell it: time does not run backwards, but for
 * a few stray records. */
bool oracle_is_plausible(const unsigned char *bytes, size_t count)
{
	uint64_t before = 0;
	size_t records = count / RECORD_BYTES, back = 0;
	for (size_t i = 0; i < records; i++) {
		const unsigned char *record = bytes + i * RECORD_BYTES;
		uint64_t time = get(record, 4);
		back += time < before;
		before = time;
		if (!next_is_plausible((int64_t)get(record + 16, 8)))
			return false;
	}
	return records && back <= records / 8;
}

static int oracle_read(struct input *input, const struct format_options *options,
		       struct references *references, struct why *why)
{
	(void)options;
	for (;;) {
		int error = input_fill(input, RECORD_BYTES, why);
		if (error)
			return error;
		if (input->used < RECORD_BYTES)
			break;
		error = references_add(references, get(input_bytes(input) + 4, 8), false, why);
		if (error)
			return error;
		input_consume(input, RECORD_BYTES);
	}
	if (input->used)
		return why_say(
			why, -EILSEQ, "%s: truncated at byte %llu: %zu bytes of a record of %u",
			input->name, (unsigned long long)input->offset, input->used, RECORD_BYTES);
	return 0;
}

const struct format format_oracle = {
	.name = "oracleGeneral",
	.summary = "libCacheSim's records of 24 bytes; sizes are ignored",
	.read = oracle_read,
};
