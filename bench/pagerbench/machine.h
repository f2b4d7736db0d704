/* SPDX-License-Identifier: MIT */
/* The machine that figures were measured on. */
#ifndef PAGERBENCH_MACHINE_H
#define PAGERBENCH_MACHINE_H

#include <stdio.h>

struct machine {
	long processors;
	double memory_gib;
	char processor[128];
	char kernel[160];
};

void machine_look(struct machine *machine);
/* As a JSON object. */
void machine_json(FILE *file);

#endif
