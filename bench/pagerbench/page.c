/* SPDX-License-Identifier: MIT */
/* One page of HTML. */
#include "page.h"

#include "../sim/chart.h"
#include "rows.h"

static const char style[] =
	":root{color-scheme:light dark;--ink:#1d2326;--paper:#fff;--rule:#dde2e4;--soft:#5c6770;"
	"--best:#e3f4e8}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8ea;--paper:#14181a;--rule:#343b3f;"
	"--soft:#9ba6ad;--best:#173a26}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:84rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.25rem;margin:2.5rem 0 .5rem;"
	"border-top:1px solid var(--rule);padding-top:1rem}h3{font-size:1rem;margin:1rem 0 .3rem}\n"
	"code{overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere}\n"
	"nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1rem;padding:0;list-style:none}\n"
	".soft{color:var(--soft)}\n"
	".figure{display:grid;gap:.5rem 2rem;grid-template-columns:minmax(0,1fr);align-items:start;"
	"margin:1.5rem 0}.figure h3{grid-column:1/-1}\n"
	"@media(min-width:60rem){.figure{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}}\n"
	"@media(max-width:40rem){.chart text{font-size:16px}}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15rem .5rem;border-bottom:1px solid var(--rule);text-align:right;"
	"white-space:nowrap}th{font-weight:600}\n"
	"th:first-child,td:first-child{text-align:left}\n"
	"th:first-child{position:sticky;left:0;background:var(--paper)}\n"
	".best{background:var(--best);font-weight:600}\n";

void page_begin(FILE *file, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n<title>",
	      file);
	html_text(file, title);
	fprintf(file, "</title>\n<style>\n%s%s%s</style>\n</head>\n<body>\n<h1>", chart_style,
		rows_style, style);
	html_text(file, title);
	fputs("</h1>\n", file);
}

void page_end(FILE *file)
{
	fputs("</body>\n</html>\n", file);
}

void page_figure_begin(FILE *file, const char *title)
{
	fputs("<div class=\"figure\">\n<h3>", file);
	html_text(file, title);
	fputs("</h3>\n<div>\n", file);
}

void page_figure_table(FILE *file)
{
	fputs("</div>\n<div class=\"wide\">\n", file);
}

void page_figure_end(FILE *file)
{
	fputs("</div>\n</div>\n", file);
}
