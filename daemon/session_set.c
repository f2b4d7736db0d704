/* SPDX-License-Identifier: MIT */
/*
 * SET: "memory=64M policy=lru" for the daemon, a client, or an object.
 *
 * Whose the target is: a process has one client for each of its sessions, and all of them are set;
 * an object named by an address is looked for in one after the other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bank.h"
#include "session.h"

static void set_reply(struct session *session, const char *why)
{
	char *text = strdup(why);
	if (!text)
		session_reply(session, PAGERD_SET, -ENOMEM);
	else
		session_reply_text(session, PAGERD_SET, text, strlen(text));
}

/* ---- words ------------------------------------------------------------------------------- */

static bool number_parse(const char *text, int base, uint64_t *number)
{
	char *end;
	errno = 0;
	*number = strtoull(text, &end, base);
	return !errno && *text >= '0' && *text <= '9' && !*end && *number;
}

/* What is wrong with a word, NULL if nothing. */
static const char *word_parse(const char *word, struct pager_request *request)
{
	if (!strncmp(word, "memory=", 7)) {
		if (!strcmp(word + 7, "none"))
			request->length = UINT64_MAX;
		else if (!size_parse(word + 7, &request->length))
			return "memory: not a size (such as 64M, or none)";
	} else if (!strncmp(word, "policy=", 7)) {
		request->text = word + 7;
	} else if (!strncmp(word, "unit=", 5)) {
		if (!unit_parse(word + 5, &request->unit))
			return "unit: not auto, nor a power of two from 4K to 1M";
	} else if (!strcmp(word, "default")) {
		request->flags |= SET_DEFAULT;
	} else if (!strcmp(word, "check")) {
		request->flags |= SET_CHECK;
	} else if (!strncmp(word, "object=", 7)) {
		if (!number_parse(word + 7, 10, &request->object))
			return "object: not a number";
	} else if (!strncmp(word, "learn=", 6)) {
		if (!number_parse(word + 6, 10, &request->learn))
			return "learn: not a number";
	} else if (!strncmp(word, "address=", 8)) {
		if (!number_parse(word + 8, 16, &request->address))
			return "address: not an address (such as 7f0123456000)";
	} else {
		return "only memory=SIZE, policy=NAME and unit=SIZE can be set";
	}
	return NULL;
}

/* The text -> the request; what is wrong otherwise. */
static const char *set_parse(char *text, struct pager_request *request)
{
	const char *why = NULL;
	char *rest = text, *word;
	while (!why && (word = strtok_r(rest, " ", &rest)))
		why = word_parse(word, request);
	if (why)
		return why;
	bool any = request->length || request->text || request->unit;
	if (request->flags & SET_DEFAULT)
		return any ? "default: cannot be set together with something else" : NULL;
	return any || request->learn ? NULL : "nothing to set";
}

/* What is wrong with what the words are about. */
static const char *target_wrong(const struct session *session, const struct pager_request *request)
{
	int named = !!request->object + !!request->address + (session->set_fd >= 0);
	if (named > 1 || (named && session->set.pid && !request->address))
		return "only one thing can be set at a time";
	if (request->address && !session->set.pid)
		return "address: of which process?";
	if (!named && !session->set.pid && request->length == UINT64_MAX)
		return "memory: the daemon needs a budget";
	return NULL;
}

/* ---- one target after the other ---------------------------------------------------------- */

static void set_end(struct session *session)
{
	free(session->targets);
	session->targets = NULL;
	if (session->set_fd >= 0)
		close(session->set_fd);
	session->set_fd = -1;
}

static void set_failed(struct session *session, int error, const char *why)
{
	set_end(session);
	if (error == -ENOENT || error == -ESRCH || error == -EPERM)
		session_reply(session, PAGERD_SET, error);
	else
		set_reply(session, why[0] ? why : strerror(-error));
}

static void set_next(struct session *session);

/* What the shards share is the daemon's. */
static void budget_follow(const struct daemon *daemon, const struct pager_request *request)
{
	bool all = request->type == PAGER_SET && !request->client;
	if (daemon->bank && all && request->length && !request->error &&
	    !(request->flags & SET_CHECK))
		bank_set(daemon->bank, request->length >> PAGE_SHIFT);
}

/* Its session may have ended while another one was set, and its number may be somebody else's. */
static bool target_there(const struct session *session, uint32_t client)
{
	uint32_t pid = session->set.pid;
	for (const struct session *s = session->daemon->sessions; s; s = s->next)
		if (s->client == client)
			return s == session ||
			       ((uint32_t)s->pid == pid && session_may_see(session, s->uid));
	return false;
}

/* Such as have gone are none. */
static void targets_forget(struct session *session)
{
	while (session->target_count &&
	       !target_there(session, session->targets[session->target_count - 1]))
		session->target_count--;
}

static void set_done(struct job *job)
{
	struct session *session = job->owner;
	const struct pager_request *request = &job->request;
	bool object = request->type == PAGER_SET_OBJECT;
	session_job_free(session);
	targets_forget(session);
	bool missing = request->error == (object ? -ENOENT : -ESRCH);
	/* A client that has gone meanwhile needs no setting; an object has to be found once. */
	if (request->error && (!missing || (object && !session->target_count))) {
		set_failed(session, request->error, request->why);
		return;
	}
	if (object && !request->error)
		session->target_count = 0;
	budget_follow(session->daemon, request);
	set_next(session);
}

/* An object is in one shard, a client and the daemon in all. 0 or -ENOMEM. */
static int set_route(struct session *session)
{
	struct bridge *bridge = &session->daemon->bridge;
	struct pager_request *request = &session->job.request;
	uint64_t shards = bridge_all(bridge);
	if (session->set_fd >= 0)
		shards = 1ull << shard_of_file(session, session->set_fd);
	else if (request->object)
		shards = 1ull << shard_of_object(session, request->object);
	job_route(&session->job, shards);
	session->job.rule = request->type == PAGER_SET_OBJECT ? JOB_SEARCH : JOB_EACH;
	return session_job_bank(session);
}

static void set_next(struct session *session)
{
	if (!session->target_count) {
		set_end(session);
		set_reply(session, "");
		return;
	}
	session->job = (struct job){
		.request = {.type = PAGER_SET,
			    .client = session->targets[--session->target_count],
			    .uid = session->uid,
			    .fd = -1},
		.complete = set_done,
		.owner = session,
	};
	struct pager_request *request = &session->job.request;
	memcpy(session->words, session->set.text, sizeof session->words);
	const char *why = set_parse(session->words, request);
	if (!why)
		why = target_wrong(session, request);
	if (why) {
		set_failed(session, -EINVAL, why);
		return;
	}
	if (request->object || request->address || session->set_fd >= 0)
		request->type = PAGER_SET_OBJECT; /* whose it is, the pager knows */
	else if (!request->client && !(request->flags & SET_CHECK) &&
		 !session_may_see(session, geteuid())) {
		set_failed(session, -EPERM, "");
		return;
	}
	if (set_route(session)) {
		set_failed(session, -ENOMEM, "");
		return;
	}
	request->fd = session->set_fd;
	session->set_fd = -1;
	bridge_post(&session->daemon->bridge, &session->job);
}

/* Another user's client is as good as none: it is not for the asker to know. */
static void targets_find(struct session *session, uint32_t pid)
{
	for (struct session *s = session->daemon->sessions; s; s = s->next)
		if (s->client && (uint32_t)s->pid == pid && session_may_see(session, s->uid))
			session->targets[session->target_count++] = s->client;
}

void session_set(struct session *session, const struct pagerd_set *set, int fd)
{
	session->set = *set;
	session->set.text[sizeof session->set.text - 1] = 0;
	session->set_fd = fd;
	session->targets = calloc(session->daemon->session_count + 1, sizeof *session->targets);
	session->target_count = 0;
	if (!session->targets) {
		set_end(session);
		session_reply(session, PAGERD_SET, -ENOMEM);
		return;
	}
	if (set->pid && set->pid != PAGERD_SET_SELF)
		targets_find(session, set->pid);
	else if (!set->pid || session->client)
		session->targets[session->target_count++] = set->pid ? session->client : 0;
	if (session->target_count)
		set_next(session);
	else
		set_failed(session, -ESRCH, "");
}
