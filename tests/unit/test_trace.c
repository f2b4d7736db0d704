/* SPDX-License-Identifier: MIT */
/* Recorded traces: what was written is read again, and whatever is missing or changed is found. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "seed.h"
#include "suite.h"
#include "workload/random.h"

static uint64_t seed;
static struct random draws;

/* ---- a trace in memory ------------------------------------------------------------------- */

struct file {
	unsigned char *bytes;
	size_t used, room;
};

static int file_write(void *context, const void *bytes, size_t count)
{
	struct file *file = context;
	if (file->used + count > file->room)
		return -ENOSPC;
	memcpy(file->bytes + file->used, bytes, count);
	file->used += count;
	return 0;
}

static struct file file_make(size_t room)
{
	struct file file = {.bytes = malloc(room), .room = room};
	ck_assert_ptr_nonnull(file.bytes);
	return file;
}

static struct file file_of(const struct trace_record *records, size_t count)
{
	struct file file = file_make(64 + 32 * count);
	struct trace_encoder encoder;
	ck_assert_int_eq(trace_encoder_init(&encoder, file_write, &file), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(trace_encoder_add(&encoder, &records[i]), 0);
	ck_assert_int_eq(trace_encoder_finish(&encoder), 0);
	ck_assert_uint_eq(encoder.total, count);
	return file;
}

/* The records that were read; the first room of them are kept. */
struct reading {
	struct trace_record *records;
	size_t room, count;
};

/* Read the block of so many bytes; what is wrong, or NULL. */
static const char *block_read(struct trace_decoder *decoder, const unsigned char *block,
			      size_t bytes, struct reading *reading)
{
	struct trace_record record;
	bool more = true;
	const char *wrong = trace_decoder_block(decoder, block, bytes);
	while (!wrong && more) {
		wrong = trace_decoder_next(decoder, &record, &more);
		if (wrong || !more)
			break;
		if (reading->count < reading->room)
			reading->records[reading->count] = record;
		reading->count++;
	}
	return wrong;
}

/* Read all of file, as the simulator does; what is wrong, or NULL. */
static const char *file_read(const struct file *file, struct reading *reading)
{
	struct trace_decoder decoder;
	size_t at = PAGERD_TRACE_HEADER_BYTES, bytes;
	enum trace_block kind;
	if (file->used < at)
		return "short header";
	const char *wrong = trace_decoder_init(&decoder, file->bytes);
	for (; !wrong; at += bytes) {
		if (file->used - at < PAGERD_TRACE_BLOCK_HEAD_BYTES)
			return "short block";
		wrong = trace_decoder_head(file->bytes + at, &kind, &bytes);
		if (wrong || file->used - at < bytes)
			return wrong ? wrong : "short block";
		if (kind == TRACE_BLOCK_END)
			return trace_decoder_finish(&decoder, file->bytes + at);
		wrong = block_read(&decoder, file->bytes + at, bytes, reading);
	}
	return wrong;
}

static bool file_is_good(const struct file *file)
{
	struct reading reading = {0};
	return !file_read(file, &reading);
}

static void expect_same(const struct trace_record *records, size_t count)
{
	struct file file = file_of(records, count);
	struct reading reading = {.records = calloc(count + 1, sizeof *records), .room = count};
	const char *wrong = file_read(&file, &reading);
	ck_assert_msg(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong);
	ck_assert_uint_eq(reading.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct trace_record *again = &reading.records[i];
		ck_assert_msg(records[i].page == again->page &&
				      records[i].thread == again->thread &&
				      records[i].write == again->write,
			      "seed %llu: record %zu", (unsigned long long)seed, i);
	}
	free(reading.records);
	free(file.bytes);
}

/* ---- tests ------------------------------------------------------------------------------- */

START_TEST(checksum_is_crc32c)
{
	ck_assert_uint_eq(trace_checksum(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(trace_checksum(trace_checksum(0, "1234", 4), "56789", 5), 0xe3069283);
}
END_TEST

START_TEST(bytes_are_as_described)
{
	const struct trace_record records[] = {{1, 0, false}, {0, 0, true}, {20, 7, false}};
	static const unsigned char expected[] = {0x08, 0x05, 0xa2, 0x01, 0x07};
	struct file file = file_of(records, 3);
	ck_assert_uint_eq(file.used, 16 + 12 + sizeof expected + 20);
	ck_assert_mem_eq(file.bytes, "\x89pgt\r\n\x1a\n\1\0\14\0", 12);
	ck_assert_mem_eq(file.bytes + 16, "\5\0\0\0\3\0\0\0", 8);
	ck_assert_mem_eq(file.bytes + 28, expected, sizeof expected);
	ck_assert_mem_eq(file.bytes + 33, "\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 16);
	free(file.bytes);
}
END_TEST

START_TEST(extremes_are_kept)
{
	static const uint64_t pages[] = {
		0, 15, 0, 16, 0, UINT64_MAX, 0, 1ull << 63, 31, 0, INT64_MAX, 1ull << 62, 16,
	};
	enum { PAGES = sizeof pages / sizeof *pages };
	struct trace_record records[2 * PAGES];
	for (unsigned i = 0; i < PAGES; i++) {
		records[2 * i] = (struct trace_record){pages[i], i & 1 ? UINT32_MAX : 0, i & 2};
		records[2 * i + 1] = (struct trace_record){pages[i], 1u << i, i & 1};
	}
	expect_same(records, 2 * PAGES);
	expect_same(records, 0);
}
END_TEST

/* Several blocks, and steps of every length. */
START_TEST(random_records_are_kept)
{
	size_t count = 100000 + random_next(&draws) % 100000;
	struct trace_record *records = calloc(count, sizeof *records);
	uint64_t page = 0;
	for (size_t i = 0; i < count; i++) {
		page += random_next(&draws) >> random_next(&draws) % 64;
		records[i] = (struct trace_record){
			.page = page,
			.thread = random_next(&draws) % 8 ? 0 : (uint32_t)random_next(&draws) % 3,
			.write = random_next(&draws) & 1,
		};
	}
	expect_same(records, count);
	free(records);
}
END_TEST

static struct file sample(void)
{
	struct trace_record records[40];
	for (uint32_t i = 0; i < 40; i++)
		records[i] = (struct trace_record){i * i * 1000, i / 9, i % 3 == 0};
	return file_of(records, 40);
}

START_TEST(truncation_is_found)
{
	struct file file = sample();
	size_t whole = file.used;
	ck_assert(file_is_good(&file));
	for (file.used = 0; file.used < whole; file.used++)
		ck_assert_msg(!file_is_good(&file), "cut at %zu", file.used);
	free(file.bytes);
}
END_TEST

START_TEST(every_changed_bit_is_found)
{
	struct file file = sample();
	for (size_t bit = 0; bit < 8 * file.used; bit++) {
		file.bytes[bit / 8] ^= 1u << bit % 8;
		ck_assert_msg(!file_is_good(&file), "bit %zu", bit);
		file.bytes[bit / 8] ^= 1u << bit % 8;
	}
	free(file.bytes);
}
END_TEST

/* Two blocks change places: each is whole. */
START_TEST(moved_blocks_are_found)
{
	struct file file = file_make(4096);
	struct trace_encoder encoder;
	ck_assert_int_eq(trace_encoder_init(&encoder, file_write, &file), 0);
	for (uint32_t i = 0; i < 2; i++) {
		struct trace_record record = {i + 1, 0, false};
		ck_assert_int_eq(trace_encoder_add(&encoder, &record), 0);
		ck_assert_int_eq(trace_encoder_flush(&encoder), 0);
	}
	ck_assert_int_eq(trace_encoder_finish(&encoder), 0);
	ck_assert(file_is_good(&file));
	unsigned char first[13];
	memcpy(first, file.bytes + 16, 13);
	memmove(file.bytes + 16, file.bytes + 29, 13);
	memcpy(file.bytes + 29, first, 13);
	ck_assert(!file_is_good(&file));
	free(file.bytes);
}
END_TEST

static const struct {
	unsigned char bytes[16];
	uint32_t count, records;
} made_up[] = {
	{{0x80}, 1, 1},				      /* the step is missing */
	{{0x02}, 1, 1},				      /* the thread is missing */
	{{0x00, 0x00}, 2, 1},			      /* more bytes than records */
	{{0x80, 0x00}, 2, 2},			      /* fewer bytes than records */
	{{0x02, 0xff, 0xff, 0xff, 0xff, 0x1f}, 6, 1}, /* 33 bits */
	{{0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x08}, 10, 1},	     /* 60 bits */
	{{0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0x00}, 11, 1}, /* too long */
};

/* A block whose checksum is right and whose records are not. */
START_TEST(made_up_records_are_refused)
{
	uint32_t count = made_up[_i].count;
	struct file file = file_of(NULL, 0);
	struct trace_decoder decoder;
	ck_assert_ptr_null(trace_decoder_init(&decoder, file.bytes));
	unsigned char block[12 + 16] = {(unsigned char)count, 0, 0, 0,
					(unsigned char)made_up[_i].records};
	memcpy(block + 12, made_up[_i].bytes, count);
	uint32_t checksum = trace_checksum(decoder.checksum, block, 8);
	checksum = trace_checksum(checksum, block + 12, count);
	memcpy(block + 8, &checksum, 4);
	struct reading reading = {0};
	ck_assert_ptr_nonnull(block_read(&decoder, block, 12 + count, &reading));
	free(file.bytes);
}
END_TEST

START_TEST(errors_of_the_sink_come_back)
{
	struct file file = file_make(PAGERD_TRACE_HEADER_BYTES + 100);
	struct trace_encoder encoder;
	ck_assert_int_eq(trace_encoder_init(&encoder, file_write, &file), 0);
	int error = 0;
	for (uint32_t i = 0; i < 100000 && !error; i++)
		error = trace_encoder_add(&encoder, &(struct trace_record){i * 99, 0, false});
	ck_assert_int_eq(error, -ENOSPC);
	free(file.bytes);
}
END_TEST

int main(void)
{
	seed = draws.state = seed_get();
	Suite *suite = suite_create("trace");
	TCase *tcase = tcase_create("format");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, checksum_is_crc32c);
	tcase_add_test(tcase, bytes_are_as_described);
	tcase_add_test(tcase, extremes_are_kept);
	tcase_add_test(tcase, random_records_are_kept);
	tcase_add_test(tcase, truncation_is_found);
	tcase_add_test(tcase, every_changed_bit_is_found);
	tcase_add_test(tcase, moved_blocks_are_found);
	tcase_add_loop_test(tcase, made_up_records_are_refused, 0,
			    sizeof made_up / sizeof *made_up);
	tcase_add_test(tcase, errors_of_the_sink_come_back);
	suite_add_tcase(suite, tcase);

	return suite_run(suite);
}
