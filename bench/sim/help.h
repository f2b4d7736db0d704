/* SPDX-License-Identifier: MIT */
#ifndef PAGERSIM_HELP_H
#define PAGERSIM_HELP_H

/* pagersim --help, with the policies and formats that there are. */
void help_print(void);

#endif
