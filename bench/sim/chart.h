/* SPDX-License-Identifier: MIT */
/*
 * Curves, as an inline SVG picture that needs no script.
 *
 * Colours are the classes s0 to s7 of the page's style sheet (CHART_STYLE), for light and dark;
 * from the ninth series on they come again, dashed.
 */
#ifndef PAGERSIM_CHART_H
#define PAGERSIM_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct chart_point {
	double x, y; /* x > 0 if its axis is logarithmic */
};

struct chart_series {
	const char *name;
	struct chart_point *points; /* by ascending x */
	size_t count;
};

struct chart {
	const char *title, *x_label, *y_label;
	const char *whole_label; /* of the axis at the top, */
	double whole;		 /* where this x is 100 %; 0: there is none */
	bool linear;		 /* the axis of x, which begins at 0 then; else logarithmic */
	const struct chart_series *series;
	size_t count;
};

extern const char chart_style[];

/* The picture, with the names of its series below it. */
void chart_write(FILE *file, const struct chart *chart);

/* Text with what HTML takes for itself written as entities. */
void html_text(FILE *file, const char *text);

#endif
