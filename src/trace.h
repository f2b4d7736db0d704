/* SPDX-License-Identifier: MIT */
/*
 * Writing and reading the traces of include/pagerd/trace.h.
 *
 * Neither allocates, opens or closes anything: the encoder hands blocks of bytes to a function of
 * the caller's, the decoder is handed the bytes of one block after the other. Each belongs to one
 * thread at a time.
 */
#ifndef PAGERD_SRC_TRACE_H
#define PAGERD_SRC_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pagerd/policy.h"
#include "pagerd/trace.h"

struct trace_record {
	pagerd_page_t page;
	uint32_t thread;
	bool write;
};

/* CRC-32C of bytes, going on from checksum (0 to begin). */
uint32_t trace_checksum(uint32_t checksum, const void *bytes, size_t count);

/* ---- writing ----------------------------------------------------------------------------- */

/* Takes all count bytes, or fails with -errno. */
typedef int (*trace_sink)(void *context, const void *bytes, size_t count);

struct trace_encoder {
	trace_sink sink;
	void *context;
	uint64_t total;	   /* records, of all blocks */
	uint32_t records;  /* in this block */
	uint32_t used;	   /* bytes of block */
	uint32_t checksum; /* of all that was handed to the sink */
	uint32_t thread;   /* of the record before */
	pagerd_page_t page;
	unsigned char block[PAGERD_TRACE_BLOCK_HEAD_BYTES + PAGERD_TRACE_BLOCK_BYTES];
};

/* Begin a trace: the header goes to sink. 0 or the sink's error. */
int trace_encoder_init(struct trace_encoder *encoder, trace_sink sink, void *context);
/* Add one reference; every some ten thousand the sink is called. 0 or its error, after which the
 * encoder is of no more use. */
int trace_encoder_add(struct trace_encoder *encoder, const struct trace_record *record);
/* Hand over what was added so far, so that it can be read up to here if no more comes. */
int trace_encoder_flush(struct trace_encoder *encoder);
/* End the trace: without this it counts as broken off. */
int trace_encoder_finish(struct trace_encoder *encoder);

/* ---- reading ----------------------------------------------------------------------------- */

struct trace_decoder {
	uint32_t checksum; /* of all blocks so far */
	uint64_t total;	   /* records, likewise */
	const unsigned char *next, *end;
	uint32_t records; /* of this block, still to come */
	uint32_t thread;
	pagerd_page_t page;
};

enum trace_block {
	TRACE_BLOCK_RECORDS,
	TRACE_BLOCK_END,
};

/* Each of these returns NULL, or a sentence that says what is wrong. */

/* Begin with a header of PAGERD_TRACE_HEADER_BYTES bytes. */
const char *trace_decoder_init(struct trace_decoder *decoder, const unsigned char *header);
/* Look at the first PAGERD_TRACE_BLOCK_HEAD_BYTES of a block: of which kind it is, and how many
 * bytes it has in all. */
const char *trace_decoder_head(const unsigned char *head, enum trace_block *kind, size_t *bytes);
/* Check a whole block and go to its first record. The bytes must stay until the last was read. */
const char *trace_decoder_block(struct trace_decoder *decoder, const unsigned char *block,
				size_t bytes);
/* Read the next record of the block; *more is false, and record untouched, if there is none. */
const char *trace_decoder_next(struct trace_decoder *decoder, struct trace_record *record,
			       bool *more);
/* Check an end block against what was read. */
const char *trace_decoder_finish(const struct trace_decoder *decoder, const unsigned char *block);

#endif
