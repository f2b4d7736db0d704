/* SPDX-License-Identifier: MIT */
/* Rows of marks over one axis. */
#include "rows.h"

#include <math.h>

#include "../sim/chart.h"

#define WIDTH	520.0
#define LEFT	24.0
#define RIGHT	496.0
#define TOP	4.0
#define ROW	42.0
#define LABEL	16.0 /* below the top of a row, its line */
#define LINE	29.0 /* and that of its marks */
#define AXIS	46.0 /* height of the axis below the rows */
#define MARK	5.0
#define TICKS	5.0
#define DECADES 2.5 /* up to here there are ticks between the powers of ten */

const char rows_style[] = ".rows .spread{stroke-width:6;opacity:.35}\n"
			  ".rows .axis{stroke:var(--soft)}\n";

struct span {
	bool linear;
	double low, high; /* logarithms, if it is not linear */
};

static void span_add(struct span *span, double value)
{
	if (!(value > 0))
		return;
	span->low = fmin(span->low, value);
	span->high = fmax(span->high, value);
}

static struct span span_of(const struct rows *rows)
{
	struct span span = {rows->linear, INFINITY, 0};
	for (size_t i = 0; i < rows->count; i++) {
		for (size_t k = 0; k < rows->marks; k++)
			span_add(&span, rows->row[i].mark[k]);
		span_add(&span, rows->row[i].least);
		span_add(&span, rows->row[i].most);
	}
	if (!(span.high > 0))
		return (struct span){true, 0, 1};
	if (span.linear)
		return (struct span){true, 0, span.high * 1.05};
	return (struct span){false, log10(span.low / 1.15), log10(span.high * 1.15)};
}

static double place(const struct span *span, double value)
{
	double along = span->linear ? value : log10(value);
	return LEFT + (RIGHT - LEFT) * (along - span->low) / (span->high - span->low);
}

/* ---- the axis ---------------------------------------------------------------------------- */

static void tick(FILE *file, const struct span *span, double value, double bottom)
{
	double x = place(span, value);
	fprintf(file,
		"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		x, x, TOP, bottom, x, bottom + 17);
	if (value >= 1e6)
		fprintf(file, "%gM", value / 1e6);
	else if (value >= 1e4)
		fprintf(file, "%gk", value / 1e3);
	else
		fprintf(file, "%g", value);
	fputs("</text>\n", file);
}

static void ticks_logarithmic(FILE *file, const struct span *span, double bottom)
{
	int steps = span->high - span->low > DECADES ? 1 : 3;
	for (double decade = floor(span->low); decade <= span->high; decade++)
		for (int i = 0; i < steps; i++) {
			double value = pow(10, decade) * (double[]){1, 2, 5}[i];
			if (log10(value) >= span->low && log10(value) <= span->high)
				tick(file, span, value, bottom);
		}
}

static void ticks_linear(FILE *file, const struct span *span, double bottom)
{
	double least = span->high / TICKS, step = pow(10, floor(log10(least)));
	for (int i = 0; step < least; i++)
		step *= i % 3 == 1 ? 2.5 : 2;
	for (double value = 0; value <= span->high; value += step)
		tick(file, span, value, bottom);
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Shapes differ as well as colours do. */
static void mark(FILE *file, double x, double y, size_t number)
{
	static const char *const shapes[ROWS_MARKS] = {"M0 -1L1 0L0 1L-1 0Z", "M-.8 -.8H.8V.8H-.8Z",
						       "M0 -1L1 .8H-1Z",
						       "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0 -1 0Z"};
	fprintf(file,
		"<path class=\"s%zu mark\" stroke=\"none\" transform=\"translate(%.1f %.1f) "
		"scale(%g)\" d=\"%s\"",
		number, x, y, MARK, shapes[number]);
}

static void row_write(FILE *file, const struct rows *rows, const struct span *span, size_t i)
{
	const struct rows_row *row = &rows->row[i];
	double top = TOP + ROW * (double)i, y = top + LINE;
	fprintf(file, "<text x=\"2\" y=\"%.1f\">", top + LABEL);
	html_text(file, row->label);
	fprintf(file,
		"</text><line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
		LEFT, RIGHT, y, y);
	if (row->least > 0 && row->most > 0)
		fprintf(file,
			"<line class=\"s%zu spread\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" "
			"y2=\"%.1f\"/>\n",
			rows->marks - 1, place(span, row->least), place(span, row->most), y, y);
	for (size_t k = 0; k < rows->marks; k++) {
		if (!(row->mark[k] > 0))
			continue;
		mark(file, place(span, row->mark[k]), y, k);
		fputs("><title>", file);
		html_text(file, row->label);
		fprintf(file, ", %s: %g</title></path>\n", rows->names[k], row->mark[k]);
	}
}

static void names_write(FILE *file, const struct rows *rows)
{
	fputs("<ul class=\"names\">\n", file);
	for (size_t k = 0; k < rows->marks; k++) {
		fputs("<li><svg viewBox=\"0 0 32 12\" aria-hidden=\"true\">", file);
		mark(file, 16, 6, k);
		fputs("/></svg>", file);
		html_text(file, rows->names[k]);
		fputs("</li>\n", file);
	}
	fputs("</ul>\n", file);
}

void rows_write(FILE *file, const struct rows *rows)
{
	struct span span = span_of(rows);
	double bottom = TOP + ROW * (double)rows->count;
	fprintf(file,
		"<svg class=\"chart rows\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
		WIDTH, bottom + AXIS);
	html_text(file, rows->title);
	fputs("\">\n", file);
	if (span.linear)
		ticks_linear(file, &span, bottom);
	else
		ticks_logarithmic(file, &span, bottom);
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", (LEFT + RIGHT) / 2,
		bottom + 38);
	html_text(file, rows->x_label);
	fputs("</text>\n", file);
	for (size_t i = 0; i < rows->count; i++)
		row_write(file, rows, &span, i);
	fputs("</svg>\n", file);
	names_write(file, rows);
}
