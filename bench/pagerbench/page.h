/* SPDX-License-Identifier: MIT */
/* One page of HTML that needs nothing beside it: no network, no script. */
#ifndef PAGERBENCH_PAGE_H
#define PAGERBENCH_PAGE_H

#include <stdio.h>

void page_begin(FILE *file, const char *title);
void page_end(FILE *file);

/* A picture and its table are beside each other where there is room, else below. */
void page_figure_begin(FILE *file, const char *title);
void page_figure_table(FILE *file); /* what follows is the table */
void page_figure_end(FILE *file);

#endif
