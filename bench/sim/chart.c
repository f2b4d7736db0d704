/* SPDX-License-Identifier: MIT */
/* Pictures. Lengths are in units of the view box, which is as wide as the column it is in. */
#include "chart.h"

#include <math.h>

#define WIDTH	     520.0
#define HEIGHT	     380.0
#define LEFT	     52.0
#define RIGHT	     496.0
#define TOP	     44.0
#define BOTTOM	     332.0
#define COLOURS	     8
#define DOTS_MAX     24 /* curves of more points have no dots */
#define Y_STEPS	     5.0
#define MARK_WIDTH   48.0 /* of a number, at most */
#define DECADES_MANY 4.0  /* from here on only powers of ten are marked */

const char chart_style[] =
	".chart{width:100%;height:auto;display:block}\n"
	".chart text{fill:var(--ink);font-size:13px}\n"
	".chart .grid{stroke:var(--rule);stroke-width:1}\n"
	".chart .curve{fill:none;stroke-width:2}\n"
	".names{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0;margin:.4rem 0;"
	"list-style:none}\n"
	".names svg{width:2em;height:.7em;margin-right:.3em}\n"
	".s0{stroke:#0072b2;fill:#0072b2}.s1{stroke:#d55e00;fill:#d55e00}"
	".s2{stroke:#009e73;fill:#009e73}.s3{stroke:#b5559a;fill:#b5559a}\n"
	".s4{stroke:#a07800;fill:#a07800}.s5{stroke:#c2183c;fill:#c2183c}"
	".s6{stroke:#777;fill:#777}.s7{stroke:#8a4fd0;fill:#8a4fd0}\n"
	".dashed{stroke-dasharray:6 4}\n"
	"@media(prefers-color-scheme:dark){\n"
	".s0{stroke:#5db3e8;fill:#5db3e8}.s1{stroke:#ff8c42;fill:#ff8c42}"
	".s2{stroke:#2fd6a3;fill:#2fd6a3}.s3{stroke:#ec8fd0;fill:#ec8fd0}\n"
	".s4{stroke:#e8c14a;fill:#e8c14a}.s5{stroke:#ff7a90;fill:#ff7a90}"
	".s6{stroke:#aaa;fill:#aaa}.s7{stroke:#b99cf0;fill:#b99cf0}}\n";

void html_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '&':
			fputs("&amp;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			fputc(*text, file);
		}
	}
}

/* ---- scales ------------------------------------------------------------------------------ */

struct scale {
	bool linear;
	double x_low, x_high; /* logarithms, if it is not linear */
	double y_low, y_high, y_step;
};

/* Where x is along its axis. */
static double along(const struct scale *scale, double x)
{
	return scale->linear ? x : log10(x);
}

/* 1, 2 or 5 times a power of ten, not below least. */
static double round_up(double least)
{
	double power = pow(10, floor(log10(least)));
	for (int i = 0; i < 3; i++) {
		double candidate = power * (double[]){1, 2, 5}[i];
		if (candidate >= least * (1 - 1e-9))
			return candidate;
	}
	return 10 * power;
}

static void bounds_find(const struct chart *chart, struct chart_point *low,
			struct chart_point *high)
{
	*low = (struct chart_point){INFINITY, 0};
	*high = (struct chart_point){0, 0};
	for (size_t i = 0; i < chart->count; i++) {
		for (size_t j = 0; j < chart->series[i].count; j++) {
			const struct chart_point *point = &chart->series[i].points[j];
			low->x = fmin(low->x, point->x);
			low->y = fmin(low->y, point->y);
			high->x = fmax(high->x, point->x);
			high->y = fmax(high->y, point->y);
		}
	}
}

static struct scale scale_of(const struct chart *chart)
{
	struct chart_point low, high;
	bounds_find(chart, &low, &high);
	if (chart->linear) {
		low.x = 0;
	} else if (high.x < 1.5 * low.x) {
		low.x /= 2;
		high.x *= 2;
	}
	double height = high.y - low.y,
	       y_step = round_up(height > 0 ? height / Y_STEPS : 1 / Y_STEPS);
	return (struct scale){
		.linear = chart->linear,
		.x_low = chart->linear ? 0 : log10(low.x),
		.x_high = chart->linear ? high.x : log10(high.x),
		.y_step = y_step,
		.y_low = y_step * floor(low.y / y_step + 1e-9),
		.y_high = y_step * ceil(fmax(high.y, y_step) / y_step - 1e-9),
	};
}

static double place_x(const struct scale *scale, double x)
{
	return LEFT +
	       (RIGHT - LEFT) * (along(scale, x) - scale->x_low) / (scale->x_high - scale->x_low);
}

static double place_y(const struct scale *scale, double y)
{
	return BOTTOM - (BOTTOM - TOP) * (y - scale->y_low) / (scale->y_high - scale->y_low);
}

/* ---- axes -------------------------------------------------------------------------------- */

static void number_write(FILE *file, double number, const char *unit)
{
	if (number >= 1e6)
		fprintf(file, "%gM%s", number / 1e6, unit);
	else if (number >= 1e4)
		fprintf(file, "%gk%s", number / 1e3, unit);
	else
		fprintf(file, "%g%s", number, unit);
}

/* A number at the right end keeps within the picture. */
static void mark_x(FILE *file, double x, double y, double number, const char *unit)
{
	bool last = x > WIDTH - MARK_WIDTH / 2;
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", last ? WIDTH - 2 : x, y,
		last ? "end" : "middle");
	number_write(file, number, unit);
	fputs("</text>\n", file);
}

static void line_x(FILE *file, double x)
{
	fprintf(file, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x,
		x, TOP, BOTTOM);
}

/* Marks at y for numbers that are x times factor, with a grid line if lines says so. */
static void axis_x(FILE *file, const struct scale *scale, double factor, double y, const char *unit,
		   int lines)
{
	double low = scale->x_low + log10(factor), high = scale->x_high + log10(factor);
	int steps = high - low > DECADES_MANY ? 1 : 3;
	for (double decade = floor(low); decade <= high; decade++) {
		for (int i = 0; i < steps; i++) {
			double number = pow(10, decade) * (double[]){1, 2, 5}[i];
			if (log10(number) < low - 1e-9 || log10(number) > high + 1e-9)
				continue;
			double x = place_x(scale, number / factor);
			if (lines)
				line_x(file, x);
			mark_x(file, x, y, number, unit);
		}
	}
}

static void axis_linear(FILE *file, const struct scale *scale, double y)
{
	double step = round_up(scale->x_high / Y_STEPS);
	for (double x = 0; x <= scale->x_high * (1 + 1e-9); x += step) {
		line_x(file, place_x(scale, x));
		mark_x(file, place_x(scale, x), y, x, "");
	}
}

static void axis_y(FILE *file, const struct scale *scale)
{
	double steps = round((scale->y_high - scale->y_low) / scale->y_step);
	for (double i = 0; i <= steps; i++) {
		double y = scale->y_low + i * scale->y_step;
		fprintf(file,
			"<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
			"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
			LEFT, RIGHT, place_y(scale, y), place_y(scale, y), LEFT - 6,
			place_y(scale, y) + 4, fabs(y) < 1e-9 ? 0 : y);
	}
}

static void label(FILE *file, double y, const char *text)
{
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", (LEFT + RIGHT) / 2, y);
	html_text(file, text);
	fputs("</text>\n", file);
}

/* ---- curves ------------------------------------------------------------------------------ */

static void curve_class(FILE *file, size_t number)
{
	fprintf(file, "s%zu%s", number % COLOURS, number / COLOURS % 2 ? " dashed" : "");
}

static void curve(FILE *file, const struct scale *scale, const struct chart_series *series,
		  size_t number)
{
	fputs("<polyline class=\"", file);
	curve_class(file, number);
	fputs(" curve\" points=\"", file);
	for (size_t i = 0; i < series->count; i++)
		fprintf(file, "%.1f,%.1f ", place_x(scale, series->points[i].x),
			place_y(scale, series->points[i].y));
	fputs("\"/>\n", file);
	for (size_t i = 0; series->count <= DOTS_MAX && i < series->count; i++) {
		const struct chart_point *point = &series->points[i];
		fprintf(file, "<circle class=\"s%zu\" r=\"3\" cx=\"%.1f\" cy=\"%.1f\"><title>",
			number % COLOURS, place_x(scale, point->x), place_y(scale, point->y));
		html_text(file, series->name);
		fprintf(file, ": %g at %.0f</title></circle>\n", point->y, point->x);
	}
}

static void names_write(FILE *file, const struct chart *chart)
{
	fputs("<ul class=\"names\">\n", file);
	for (size_t i = 0; i < chart->count; i++) {
		fputs("<li><svg viewBox=\"0 0 32 8\" aria-hidden=\"true\"><line class=\"curve ",
		      file);
		curve_class(file, i);
		fputs("\" x2=\"32\" y1=\"4\" y2=\"4\"/></svg>", file);
		html_text(file, chart->series[i].name);
		fputs("</li>\n", file);
	}
	fputs("</ul>\n", file);
}

void chart_write(FILE *file, const struct chart *chart)
{
	struct scale scale = scale_of(chart);
	fprintf(file, "<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
		WIDTH, HEIGHT);
	html_text(file, chart->title);
	fputs("\">\n", file);
	axis_y(file, &scale);
	if (chart->linear)
		axis_linear(file, &scale, BOTTOM + 18);
	else
		axis_x(file, &scale, 1, BOTTOM + 18, "", 1);
	label(file, BOTTOM + 38, chart->x_label);
	if (chart->whole > 0) {
		axis_x(file, &scale, 100 / chart->whole, TOP - 8, "%", 0);
		label(file, TOP - 28, chart->whole_label);
	}
	fprintf(file, "<text transform=\"translate(13 %.1f) rotate(-90)\" text-anchor=\"middle\">",
		(TOP + BOTTOM) / 2);
	html_text(file, chart->y_label);
	fputs("</text>\n", file);
	for (size_t i = 0; i < chart->count; i++)
		curve(file, &scale, &chart->series[i], i);
	fputs("</svg>\n", file);
	names_write(file, chart);
}
