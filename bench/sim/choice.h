/* SPDX-License-Identifier: MIT */
/* The policies and sizes that a command line asks for. */
#ifndef PAGERSIM_CHOICE_H
#define PAGERSIM_CHOICE_H

#include "options.h"

/* Fill in options->policies from a list, which is cut into pieces and must stay; the policies are
 * looked up, and their parameters tried. 0, or -EINVAL or -ENOMEM with why. */
int policies_parse(struct options *options, char *list, struct why *why);
/* The same for options->sizes. */
int sizes_parse(struct options *options, char *list, struct why *why);

#endif
