/* SPDX-License-Identifier: MIT */
/* A session that asks and steers, and pages nothing. */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

int control_open(const char *path, uint32_t *daemon_pid)
{
	struct pagerd_hello hello = {.name = "pagerctl"};
	struct pagerd_hello_reply reply;
	int socket = wire_connect(path);
	if (socket < 0)
		return socket;
	wire_header(&hello.h, PAGERD_HELLO, sizeof(hello));
	int result = wire_call(socket, &hello.h, -1, &reply.h, sizeof(reply), NULL);
	if (result < 0) {
		close(socket);
		return result;
	}
	*daemon_pid = reply.daemon_pid;
	return socket;
}

int control_report(int socket, enum pagerd_report_kind kind, uint32_t pid, bool json, FILE *out)
{
	struct pagerd_report request = {.kind = kind, .pid = pid, .json = json};
	struct pagerd_text text;
	wire_header(&request.h, PAGERD_REPORT, sizeof(request));
	int result = wire_send(socket, &request.h, -1);
	if (result < 0)
		return result;
	do {
		result = wire_receive_text(socket, PAGERD_REPORT, &text);
		if (result < 0)
			return result;
		fwrite(text.text, 1, text.length, out);
	} while (text.more);
	return 0;
}

int control_set(int socket, uint32_t pid, const char *text, int file, char *why, size_t why_bytes)
{
	struct pagerd_set request = {.pid = pid};
	struct pagerd_text reply;
	size_t length = strlen(text);
	if (length >= sizeof(request.text))
		return -ENAMETOOLONG;
	memcpy(request.text, text, length);
	wire_header(&request.h, PAGERD_SET, sizeof(request));
	int result = wire_send(socket, &request.h, file);
	if (result == 0)
		result = wire_receive_text(socket, PAGERD_SET, &reply);
	if (result == 0)
		snprintf(why, why_bytes, "%.*s", (int)reply.length, reply.text);
	return result;
}

int control_drain(int socket)
{
	struct pagerd_header request, reply;
	wire_header(&request, PAGERD_DRAIN, sizeof(request));
	return wire_call(socket, &request, -1, &reply, sizeof(reply), NULL);
}
