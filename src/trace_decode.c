/* SPDX-License-Identifier: MIT */
/* Blocks of bytes into references. Nothing in them is believed before it was checked: checksums
 * find what happened by accident, the rest finds what was made up. */
#include "trace.h"

#include <string.h>

static uint16_t get_16(const unsigned char *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get_32(const unsigned char *bytes)
{
	return get_16(bytes) | (uint32_t)get_16(bytes + 2) << 16;
}

static uint64_t get_64(const unsigned char *bytes)
{
	return get_32(bytes) | (uint64_t)get_32(bytes + 4) << 32;
}

const char *trace_decoder_init(struct trace_decoder *decoder, const unsigned char *header)
{
	uint32_t checksum = trace_checksum(0, header, 12);
	if (memcmp(header, PAGERD_TRACE_MAGIC, PAGERD_TRACE_MAGIC_BYTES) != 0)
		return "this is no trace of pagerd's";
	if (get_32(header + 12) != checksum)
		return "the header's checksum is wrong";
	if (get_16(header + 8) != PAGERD_TRACE_VERSION)
		return "the version of the format is unknown";
	if (get_16(header + 10) != PAGERD_TRACE_PAGE_SHIFT)
		return "its pages are not of 4 KiB";
	*decoder = (struct trace_decoder){.checksum = checksum};
	return NULL;
}

const char *trace_decoder_head(const unsigned char *head, enum trace_block *kind, size_t *bytes)
{
	uint32_t count = get_32(head), records = get_32(head + 4);
	if (!count && !records) {
		*kind = TRACE_BLOCK_END;
		*bytes = PAGERD_TRACE_END_BYTES;
		return NULL;
	}
	if (count > PAGERD_TRACE_BLOCK_BYTES)
		return "a block is longer than a block may be";
	if (!records || records > count)
		return "a block's number of records does not fit its length";
	*kind = TRACE_BLOCK_RECORDS;
	*bytes = PAGERD_TRACE_BLOCK_HEAD_BYTES + (size_t)count;
	return NULL;
}

const char *trace_decoder_block(struct trace_decoder *decoder, const unsigned char *block,
				size_t bytes)
{
	uint32_t checksum = trace_checksum(decoder->checksum, block, 8);
	checksum = trace_checksum(checksum, block + PAGERD_TRACE_BLOCK_HEAD_BYTES,
				  bytes - PAGERD_TRACE_BLOCK_HEAD_BYTES);
	if (get_32(block + 8) != checksum)
		return "a block's checksum is wrong";
	decoder->checksum = checksum;
	decoder->next = block + PAGERD_TRACE_BLOCK_HEAD_BYTES;
	decoder->end = block + bytes;
	decoder->records = get_32(block + 4);
	decoder->total += decoder->records;
	decoder->page = 0;
	decoder->thread = 0;
	return NULL;
}

/* A number of at most bits bits. */
static bool get_leb128(struct trace_decoder *decoder, unsigned bits, uint64_t *value)
{
	uint64_t result = 0;
	for (unsigned shift = 0; shift < bits && decoder->next < decoder->end; shift += 7) {
		unsigned char byte = *decoder->next++;
		uint64_t part = byte & 0x7f;
		if (bits - shift < 7 && part >> (bits - shift))
			return false;
		result |= part << shift;
		if (!(byte & 0x80)) {
			*value = result;
			return true;
		}
	}
	return false;
}

const char *trace_decoder_next(struct trace_decoder *decoder, struct trace_record *record,
			       bool *more)
{
	static const char broken[] = "a record is not well-formed";
	*more = decoder->records > 0;
	if (!*more)
		return decoder->next == decoder->end ? NULL : "a block has bytes after its records";
	if (decoder->next == decoder->end)
		return broken;
	unsigned char first = *decoder->next++;
	uint64_t rest = 0, thread = decoder->thread;
	if (first & 0x80 && !get_leb128(decoder, 59, &rest))
		return broken;
	if (first & 2 && !get_leb128(decoder, 32, &thread))
		return broken;
	uint64_t step = rest << 5 | (first >> 2 & 31);
	decoder->page += step >> 1 ^ (0 - (step & 1));
	decoder->thread = (uint32_t)thread;
	decoder->records--;
	*record = (struct trace_record){decoder->page, decoder->thread, first & 1};
	return NULL;
}

const char *trace_decoder_finish(const struct trace_decoder *decoder, const unsigned char *block)
{
	if (get_32(block + 16) != trace_checksum(decoder->checksum, block, 16))
		return "the end block's checksum is wrong";
	if (get_64(block + 8) != decoder->total)
		return "the end block counts other records than there are";
	return NULL;
}
