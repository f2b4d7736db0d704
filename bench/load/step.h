/* SPDX-License-Identifier: MIT */
/* A step of the program: accesses of one kind, timed if it has a name. */
#ifndef LOAD_STEP_H
#define LOAD_STEP_H

#include "device.h"
#include "load.h"

struct step {
	char name[64]; /* empty: not timed */
	bool warm;     /* on the pages that are set aside for it */
	struct work work;
};

/* text: [NAME=]OPERATION/ORDER[/ACCESSES]. Returns -EINVAL if it is not. */
int step_parse(struct step *step, const struct load *load, const char *text);
/* Do it and print what came out; device is NULL if memory is mapped. */
void step_run(struct step *step, struct load *load, struct device *device);

#endif
