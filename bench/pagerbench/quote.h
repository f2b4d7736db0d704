/* SPDX-License-Identifier: MIT */
/* Text inside of other languages; for HTML, see html_text in sim/chart.h. */
#ifndef PAGERBENCH_QUOTE_H
#define PAGERBENCH_QUOTE_H

#include <stdio.h>

/* With its quotation marks. */
void quote_json(FILE *file, const char *text);
void quote_csv(FILE *file, const char *text);

#endif
