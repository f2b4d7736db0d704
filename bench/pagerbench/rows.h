/* SPDX-License-Identifier: MIT */
/*
 * Rows of marks over one axis, as an inline SVG picture that needs no script: one row for each
 * thing that is compared, one mark for each figure of it, and a bar for the spread of one.
 * Colours are chart.h's.
 */
#ifndef PAGERBENCH_ROWS_H
#define PAGERBENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ROWS_MARKS 4u

struct rows_row {
	const char *label;
	double mark[ROWS_MARKS]; /* 0: there is none */
	double least, most;	 /* the spread of the last mark; 0: none is shown */
};

struct rows {
	const char *title, *x_label;
	bool linear; /* the axis, which begins at 0 then; else logarithmic */
	const char *names[ROWS_MARKS];
	size_t marks;
	const struct rows_row *row;
	size_t count;
};

extern const char rows_style[];

/* The picture, with the names of the marks below it. */
void rows_write(FILE *file, const struct rows *rows);

#endif
