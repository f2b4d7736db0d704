/* SPDX-License-Identifier: MIT */
/* References into blocks of bytes: no allocation, no system call but the sink's. */
#include "trace.h"

#include <string.h>

/* Half a byte at a time: a table of 64 bytes stays in the cache of whoever records. */
uint32_t trace_checksum(uint32_t checksum, const void *bytes, size_t count)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const unsigned char *next = bytes;
	checksum = ~checksum;
	for (size_t i = 0; i < count; i++) {
		checksum ^= next[i];
		checksum = checksum >> 4 ^ table[checksum & 15];
		checksum = checksum >> 4 ^ table[checksum & 15];
	}
	return ~checksum;
}

static void put_16(unsigned char *bytes, uint16_t value)
{
	bytes[0] = value & 0xff;
	bytes[1] = value >> 8;
}

static void put_32(unsigned char *bytes, uint32_t value)
{
	put_16(bytes, value & 0xffff);
	put_16(bytes + 2, value >> 16);
}

static void put_64(unsigned char *bytes, uint64_t value)
{
	put_32(bytes, (uint32_t)value);
	put_32(bytes + 4, value >> 32);
}

static void block_begin(struct trace_encoder *encoder)
{
	encoder->records = 0;
	encoder->used = PAGERD_TRACE_BLOCK_HEAD_BYTES;
	encoder->thread = 0;
	encoder->page = 0;
}

int trace_encoder_init(struct trace_encoder *encoder, trace_sink sink, void *context)
{
	unsigned char header[PAGERD_TRACE_HEADER_BYTES];
	memcpy(header, PAGERD_TRACE_MAGIC, PAGERD_TRACE_MAGIC_BYTES);
	put_16(header + 8, PAGERD_TRACE_VERSION);
	put_16(header + 10, PAGERD_TRACE_PAGE_SHIFT);
	encoder->checksum = trace_checksum(0, header, 12);
	put_32(header + 12, encoder->checksum);
	encoder->sink = sink;
	encoder->context = context;
	encoder->total = 0;
	block_begin(encoder);
	return sink(context, header, sizeof header);
}

static unsigned char *put_leb128(unsigned char *bytes, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		*bytes++ = (value & 0x7f) | 0x80;
	*bytes++ = value & 0x7f;
	return bytes;
}

int trace_encoder_add(struct trace_encoder *encoder, const struct trace_record *record)
{
	if (encoder->used + PAGERD_TRACE_RECORD_BYTES > sizeof encoder->block) {
		int error = trace_encoder_flush(encoder);
		if (error)
			return error;
	}
	uint64_t difference = record->page - encoder->page;
	uint64_t step = difference << 1 ^ (0 - (difference >> 63));
	bool thread_changed = record->thread != encoder->thread;
	unsigned char *bytes = encoder->block + encoder->used;
	*bytes++ = (unsigned char)(record->write | thread_changed << 1 | (step & 31) << 2 |
				   (step > 31) << 7);
	if (step > 31)
		bytes = put_leb128(bytes, step >> 5);
	if (thread_changed)
		bytes = put_leb128(bytes, record->thread);
	encoder->used = (uint32_t)(bytes - encoder->block);
	encoder->page = record->page;
	encoder->thread = record->thread;
	encoder->records++;
	return 0;
}

int trace_encoder_flush(struct trace_encoder *encoder)
{
	if (!encoder->records)
		return 0;
	uint32_t bytes = encoder->used - PAGERD_TRACE_BLOCK_HEAD_BYTES;
	put_32(encoder->block, bytes);
	put_32(encoder->block + 4, encoder->records);
	encoder->checksum = trace_checksum(encoder->checksum, encoder->block, 8);
	encoder->checksum = trace_checksum(encoder->checksum,
					   encoder->block + PAGERD_TRACE_BLOCK_HEAD_BYTES, bytes);
	put_32(encoder->block + 8, encoder->checksum);
	encoder->total += encoder->records;
	uint32_t used = encoder->used;
	block_begin(encoder);
	return encoder->sink(encoder->context, encoder->block, used);
}

int trace_encoder_finish(struct trace_encoder *encoder)
{
	unsigned char end[PAGERD_TRACE_END_BYTES] = {0};
	int error = trace_encoder_flush(encoder);
	if (error)
		return error;
	put_64(end + 8, encoder->total);
	put_32(end + 16, trace_checksum(encoder->checksum, end, 16));
	return encoder->sink(encoder->context, end, sizeof end);
}
