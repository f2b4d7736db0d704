/* SPDX-License-Identifier: MIT */
/*
 * FILE_BEGIN and FILE_END: calls on files that may be mapped; and FILE_CUT.
 *
 * Between the first two, of a write, all writers through mappings of the file wait. A client that
 * is stopped there, or means harm, would stop them for ever: after DEADLINE_S the pager gets the
 * FILE_END that the client did not send. When the client's comes at last, the file is begun once
 * more, over no bytes, only to be ended: so what was written meanwhile shows in the mappings.
 * Pages that others have stored into in that time stay as they are, and go over it: whose bytes
 * are the newer ones, nobody can tell.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "descriptor.h"
#include "log.h"
#include "session.h"

#define DEADLINE_S 10
#define NO_BYTES   INT64_MAX /* an offset behind which no file has any */

/* What the client asks for about the file that fd is open on, which is taken, in its shard. */
static void file_post(struct session *session, enum pagerd_type type, uint32_t shard,
		      const struct pagerd_range *range, int fd, void (*complete)(struct job *))
{
	bool cut = type == PAGERD_FILE_CUT;
	struct pager_request *request =
		session_job(session, type, cut ? PAGER_FILE_CUT : PAGER_FILE_BEGIN, complete);
	session->job.shard = shard;
	request->fd = fd;
	request->offset = range->address;
	request->length = range->length_bytes;
	request->flags = range->flags;
	session_post(session);
}

/* End what was begun. */
static void end_post(struct session *session, struct job *job, void (*complete)(struct job *))
{
	*job = (struct job){
		.request = {.type = PAGER_FILE_END,
			    .client = session->client,
			    .fd = -1,
			    .offset = session->file.offset,
			    .length = session->file.length,
			    .flags = session->file.flags},
		.complete = complete,
		.owner = session,
		.shard = session->file.shard,
	};
	bridge_post(&session->daemon->bridge, job);
}

void session_file_forget(struct session *session)
{
	event_del(session->file.deadline);
	if (session->file.fd >= 0)
		close(session->file.fd);
	session->file.fd = -1;
	session->file.state = WRITE_NONE;
	session->file.owed = false;
}

/* ---- begin ------------------------------------------------------------------------------- */

static void begun(struct job *job)
{
	static const struct timeval deadline = {.tv_sec = DEADLINE_S};
	struct session *session = job->owner;
	bool write = job->request.flags & PAGERD_FILE_WRITE;
	if (write && job->request.error)
		session_file_forget(session);
	else if (write && !session->closed && event_add(session->file.deadline, &deadline))
		session_close(session, "cannot be waited for: not enough memory");
	session_reply(session, PAGERD_FILE_BEGIN, job->request.error);
}

static int begin_wrong(const struct session *session, const struct pagerd_range *range, int fd)
{
	if (range->flags & ~PAGERD_FILE_WRITE)
		return -EINVAL;
	int error = descriptor_usable(fd, range->flags & PAGERD_FILE_WRITE);
	return !error && session->file.state != WRITE_NONE ? -EBUSY : error;
}

void session_file_begin(struct session *session, const struct pagerd_range *range, int fd)
{
	int error = begin_wrong(session, range, fd);
	if (error) {
		session_discard(session, fd);
		session_reply(session, PAGERD_FILE_BEGIN, error);
		return;
	}
	uint32_t shard = shard_of_file(session, fd);
	if (range->flags & PAGERD_FILE_WRITE) {
		session->file.state = WRITE_BEGUN;
		session->file.flags = 0;
		session->file.shard = shard;
		session->file.offset = range->address;
		session->file.length = range->length_bytes;
		session->file.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* for a late end */
	}
	file_post(session, PAGERD_FILE_BEGIN, shard, range, fd, begun);
}

/* ---- end --------------------------------------------------------------------------------- */

static void overdue_end(struct session *session);

/* It may have waited for others' agents, or for I/O. The session has waited for it. */
static void overdue_ended(struct job *job)
{
	struct session *session = job->owner;
	session->file.ending = false;
	if (session->file.owed)
		overdue_end(session);
	else if (session->closed && !session->busy)
		session_listen(session);
}

static void overdue_end(struct session *session)
{
	session->file.owed = session->file.ending;
	if (session->file.owed)
		return;
	session->file.ending = true;
	end_post(session, &session->file.job, overdue_ended);
}

void session_file_overdue(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;
	log_debug("client %d (%s): no FILE_END for %d s: others go on", (int)session->pid,
		  session->name, DEADLINE_S);
	session->file.state = WRITE_OVERDUE;
	overdue_end(session);
}

static void ended(struct job *job)
{
	session_reply(job->owner, PAGERD_FILE_END, job->request.error);
}

static void begun_again(struct job *job)
{
	struct session *session = job->owner;
	int error = job->request.error;
	if (error != -EAGAIN)
		session_file_forget(session);
	if (error)
		session_reply(session, PAGERD_FILE_END, error == -ENOENT ? 0 : error);
	else
		end_post(session, &session->job, ended);
}

/* Its FILE_BEGIN was ended without it. */
static void late_end(struct session *session)
{
	int fd = session->file.fd < 0 ? -1 : fcntl(session->file.fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		session_file_forget(session);
		session_reply(session, PAGERD_FILE_END, -EMFILE);
		return;
	}
	struct pagerd_range none = {
		.address = NO_BYTES, .length_bytes = 1, .flags = PAGERD_FILE_WRITE};
	file_post(session, PAGERD_FILE_BEGIN, session->file.shard, &none, fd, begun_again);
}

void session_file_end(struct session *session, const struct pagerd_range *range)
{
	if (range->flags & ~PAGERD_FILE_SHIFTED) {
		session_reply(session, PAGERD_FILE_END, -EINVAL);
		return;
	}
	bool overdue = session->file.state == WRITE_OVERDUE && !session->file.owed;
	session->file.owed = false;
	session->file.offset = range->address;
	session->file.length = range->length_bytes;
	session->file.flags = range->flags;
	if (overdue) {
		late_end(session);
		return;
	}
	session_file_forget(session);
	end_post(session, &session->job, ended);
}

/* ---- cut --------------------------------------------------------------------------------- */

void session_file_cut(struct session *session, const struct pagerd_range *range, int fd)
{
	int error = range->flags & ~PAGERD_CUT_DONE ? -EINVAL : descriptor_regular(fd);
	if (error) {
		session_discard(session, fd);
		session_reply(session, PAGERD_FILE_CUT, error);
		return;
	}
	file_post(session, PAGERD_FILE_CUT, shard_of_file(session, fd), range, fd, session_answer);
}
