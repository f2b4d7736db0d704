/* SPDX-License-Identifier: MIT */
/* The agent of the harness's client: a thread that does what real ones do, when the test lets it.
 */
#ifndef PAGERD_TESTS_FAKE_AGENT_H
#define PAGERD_TESTS_FAKE_AGENT_H

#include <pthread.h>
#include <stdbool.h>

#include "harness.h"

struct fake_agent {
	pthread_t thread;
	int socket, window;
	/* Called before each command is carried out, or NULL. */
	void (*before)(struct fake_agent *agent, const struct pagerd_command *command);
	unsigned served; /* commands, before this one */
	bool gone;	 /* the other end of its socket, perhaps */
};

void fake_agent_begin(struct fake_agent *agent, struct harness *h,
		      void (*before)(struct fake_agent *agent,
				     const struct pagerd_command *command));
/* After harness_stop. */
void fake_agent_end(struct fake_agent *agent);

#endif
