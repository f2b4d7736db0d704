/* SPDX-License-Identifier: MIT */
/* The policies that auto chooses among. */
#ifndef PAGERD_POLICY_CANDIDATE_H
#define PAGERD_POLICY_CANDIDATE_H

#include "pagerd/policy.h"

#define CANDIDATES_MOST	     16u
#define CANDIDATE_NAME_BYTES 64u /* with its parameter and the zero */

struct candidate {
	const struct pagerd_policy_ops *ops;
	const char *parameters; /* or NULL */
	char name[CANDIDATE_NAME_BYTES];
};

struct candidates {
	unsigned count;
	struct candidate list[CANDIDATES_MOST];
};

/* Read "lru+lfu:decay=4+mru", up to a comma or the end. 0, or -EINVAL with a sentence in env->why.
 * The parameters point into the candidates, which must stay where they are. */
int candidates_parse(struct candidates *candidates, const char *text,
		     const struct pagerd_policy_env *env);

#endif
