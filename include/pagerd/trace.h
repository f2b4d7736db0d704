/* SPDX-License-Identifier: MIT */
/*
 * The format of recorded page references: `pagerctl record` writes it, `pagersim` reads it.
 *
 * A trace is a header, blocks of records, and an end block. Numbers are little-endian.
 *
 *	header, 16 bytes
 *		 0  8 bytes  PAGERD_TRACE_MAGIC
 *		 8  u16      version: PAGERD_TRACE_VERSION
 *		10  u16      size of a page, as the power of two: 12
 *		12  u32      checksum of the 12 bytes before
 *	block, 12 bytes and its records
 *		 0  u32      bytes of records that follow, at most PAGERD_TRACE_BLOCK_BYTES
 *		 4  u32      number of records in them, at least 1
 *		 8  u32      checksum of the 8 bytes before, then of the records
 *	end block, 20 bytes, the last of the file
 *		 0  u32      0
 *		 4  u32      0
 *		 8  u64      number of records in all blocks
 *		16  u32      checksum of the 16 bytes before
 *
 * The checksum is CRC-32C (Castagnoli; reflected, begun with and xored with all ones). It goes on
 * from block to block: that of a block or of the end block begins where the one of the header or
 * block before it ended, so that a block that is lost, doubled or moved is found.
 *
 * A record is one reference, in 1 to 15 bytes:
 *
 *	first byte  bit 0     it is a write
 *	            bit 1     its thread is another than that of the record before; see below
 *	            bits 2-6  the lowest 5 bits of the step
 *	            bit 7     more of the step follows
 *	LEB128      the rest of the step, if bit 7 was set: at most 9 bytes
 *	LEB128      the thread, a u32, if bit 1 was set: at most 5 bytes
 *
 * LEB128 is 7 bits a byte, the lowest first, with bit 7 set in all bytes but the last. The step
 * is the difference (modulo 2^64) of the page from that of the record before, its sign folded into
 * the lowest bit: 0, -1, 1, -2, 2 are 0, 1, 2, 3, 4. Each block begins anew with page 0 and thread
 * 0 as the record before its first one, and no record lies in two blocks.
 *
 * Pages are identities, not addresses: pagerd_page_t where the daemon recorded them. A file that
 * breaks off anywhere has no end block.
 */
#ifndef PAGERD_TRACE_H
#define PAGERD_TRACE_H

/* Not text in its first byte, and hurt by whatever changes the ends of lines. */
#define PAGERD_TRACE_MAGIC	 "\x89pgt\r\n\x1a\n"
#define PAGERD_TRACE_MAGIC_BYTES 8
#define PAGERD_TRACE_VERSION	 1
#define PAGERD_TRACE_PAGE_SHIFT	 12

#define PAGERD_TRACE_HEADER_BYTES     16
#define PAGERD_TRACE_BLOCK_HEAD_BYTES 12
#define PAGERD_TRACE_END_BYTES	      20
#define PAGERD_TRACE_RECORD_BYTES     15 /* of the longest */
#define PAGERD_TRACE_BLOCK_BYTES      65536

#endif
