/* SPDX-License-Identifier: MIT */
/*
 * matrix-rows, matrix-blocks: C = A x B of square matrices of doubles, each stored by rows, one
 * behind the other.
 *
 * By rows, every element of C is the product of a row of A and a column of B, and the column goes
 * through all of B. By blocks, block x block elements of each are used while they are there.
 * Threads take rows, or rows of blocks, in turn.
 */
#include <math.h>

#include "workload/list.h"

enum { BLOCK };

static const struct workload_parameter rows_parameters[] = {
	{0},
};

static const struct workload_parameter blocks_parameters[] = {
	[BLOCK] = {"block", 64, 1, 2048, true, "edge of a block, in elements"},
	{0},
};

#define PAGE_DOUBLES (WORKLOAD_PAGE_BYTES / sizeof(double))

/* Both, with blocks of the size of a row in the first case. */
struct matrix {
	struct stream stream;
	uint64_t edge, block;
	uint64_t row, column, inner;	/* in C; in A's row */
	uint64_t row0, column0, inner0; /* of the blocks */
};

enum operand { A, B, C };

/* Where an element is, in doubles. */
static uint64_t element_at(const struct matrix *m, enum operand operand, uint64_t row,
			   uint64_t column)
{
	return ((uint64_t)operand * m->edge + row) * m->edge + column;
}

static void element_use(struct matrix *m, enum operand operand, uint64_t row, uint64_t column)
{
	stream_emit(&m->stream, element_at(m, operand, row, column) / PAGE_DOUBLES, operand == C);
}

/* Elements from this one to the end of its page. */
static uint64_t elements_left(const struct matrix *m, enum operand operand, uint64_t row,
			      uint64_t column)
{
	return PAGE_DOUBLES - element_at(m, operand, row, column) % PAGE_DOUBLES;
}

static int matrix_start(struct stream *stream)
{
	struct matrix *matrix = (struct matrix *)stream;
	uint64_t doubles = stream->workload->pages * PAGE_DOUBLES;
	matrix->edge = (uint64_t)sqrt((double)doubles / 3);
	matrix->block = (uint64_t)stream->workload->value[BLOCK];
	if (matrix->block > matrix->edge)
		matrix->block = matrix->edge;
	matrix->row = matrix->row0 =
		stream->thread * (stream->workload->ops == &workload_matrix ? matrix->block : 1) %
		matrix->edge;
	return 0;
}

/* One element of C: a row of A stays where it is while a column of B is gone through. */
static void rows_step(struct stream *stream)
{
	struct matrix *m = (struct matrix *)stream;
	element_use(m, A, m->row, m->inner);
	element_use(m, B, m->inner, m->column);
	if (++m->inner < m->edge)
		return;
	m->inner = 0;
	element_use(m, C, m->row, m->column);
	if (++m->column < m->edge)
		return;
	m->column = 0;
	m->row = (m->row + stream->threads) % m->edge;
}

static struct reference rows_next(struct stream *stream)
{
	return stream_step(stream, rows_step);
}

/* The next three blocks; the innermost loop is over those that add up to one block of C. */
static void block_advance(struct matrix *m)
{
	m->inner0 += m->block;
	if (m->inner0 >= m->edge) {
		m->inner0 = 0;
		m->column0 += m->block;
	}
	if (m->column0 >= m->edge) {
		m->column0 = 0;
		m->row0 += m->block * m->stream.threads;
		if (m->row0 >= m->edge)
			m->row0 = m->stream.thread * m->block % m->edge;
	}
	m->row = m->row0;
}

static uint64_t block_end(const struct matrix *m, uint64_t begin)
{
	return begin + m->block < m->edge ? begin + m->block : m->edge;
}

/* C[row][column0 ..] += A[row][inner] * B[inner][column0 ..] */
static void blocks_step(struct stream *stream)
{
	struct matrix *m = (struct matrix *)stream;
	uint64_t inner = m->inner0 + m->inner, last = block_end(m, m->column0);
	element_use(m, A, m->row, inner);
	for (uint64_t column = m->column0; column < last;) {
		element_use(m, B, inner, column);
		element_use(m, C, m->row, column);
		/* To the next page of either. */
		uint64_t step_b = elements_left(m, B, inner, column);
		uint64_t step_c = elements_left(m, C, m->row, column);
		column += step_b < step_c ? step_b : step_c;
	}
	if (++m->inner < block_end(m, m->inner0) - m->inner0)
		return;
	m->inner = 0;
	if (++m->row >= block_end(m, m->row0))
		block_advance(m);
}

static struct reference blocks_next(struct stream *stream)
{
	return stream_step(stream, blocks_step);
}

const struct workload_ops workload_matrix_row = {
	.name = "matrix-rows",
	.summary = "matrix multiplication, rows by columns",
	.parameters = rows_parameters,
	.pages_min = 3,
	.stream_bytes = sizeof(struct matrix),
	.start = matrix_start,
	.next = rows_next,
};

const struct workload_ops workload_matrix = {
	.name = "matrix-blocks",
	.summary = "matrix multiplication by blocks",
	.parameters = blocks_parameters,
	.pages_min = 3,
	.stream_bytes = sizeof(struct matrix),
	.start = matrix_start,
	.next = blocks_next,
};
