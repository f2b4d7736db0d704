/* SPDX-License-Identifier: MIT */
/* Text inside of other languages. */
#ifndef PAGERBENCH_QUOTE_H
#define PAGERBENCH_QUOTE_H

#include <stdio.h>

/* With its quotation marks. */
void quote_json(FILE *file, const char *text);
void quote_csv(FILE *file, const char *text);
/* For text and for attributes in quotation marks. */
void quote_html(FILE *file, const char *text);

#endif
