/* SPDX-License-Identifier: MIT */
#include "fake_agent.h"

#include <check.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t carry_out(const struct fake_agent *agent, const struct pagerd_command *command)
{
	uint64_t pages = 0;
	for (uint32_t i = 0; i < command->count; i++) {
		void *at = (void *)(uintptr_t)command->ranges[i].address;
		uint64_t bytes = command->ranges[i].length_bytes;
		if (command->type == PAGERD_SAVE)
			ck_assert_int_eq(pwrite(agent->window, at, bytes, (off_t)pages << 12),
					 bytes);
		else
			ck_assert(!madvise(at, bytes, MADV_DONTNEED));
		pages += bytes >> 12;
	}
	return pages;
}

static void *serve(void *context)
{
	struct fake_agent *agent = context;
	struct pagerd_command command;
	while (recv(agent->socket, &command, sizeof command, 0) > 0) {
		if (agent->before)
			agent->before(agent, &command);
		struct pagerd_answer answer = {.sequence = command.sequence};
		answer.pages = carry_out(agent, &command);
		ssize_t bytes = send(agent->socket, &answer, sizeof answer, MSG_NOSIGNAL);
		ck_assert(bytes == sizeof answer || agent->gone);
		agent->served++;
	}
	return NULL;
}

void fake_agent_begin(struct fake_agent *agent, struct harness *h,
		      void (*before)(struct fake_agent *agent,
				     const struct pagerd_command *command))
{
	*agent = (struct fake_agent){.before = before};
	agent->socket = harness_agent(h, &agent->window);
	ck_assert(!pthread_create(&agent->thread, NULL, serve, agent));
}

void fake_agent_end(struct fake_agent *agent)
{
	pthread_join(agent->thread, NULL);
	close(agent->socket);
	close(agent->window);
}
