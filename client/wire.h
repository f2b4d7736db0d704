/* SPDX-License-Identifier: MIT */
/*
 * Packets of <pagerd/protocol.h> over the daemon's socket: raw system calls, no allocation.
 *
 * Descriptors returned are close-on-exec. Functions return -errno on failure; -ENOTCONN means
 * that the daemon has gone, -EPROTO that the peer does not speak this protocol.
 */
#ifndef PAGERD_CLIENT_WIRE_H
#define PAGERD_CLIENT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "pagerd/protocol.h"

/* The socket of the daemon that listens at path, as a high descriptor (wire_move_high), or
 * -errno: connect(2)'s, -ENAMETOOLONG. */
int wire_connect(const char *path);

/* Fill a request's header. */
void wire_header(struct pagerd_header *header, enum pagerd_type type, size_t bytes);

/* The same of one about a shard. The first shard's is the header alone. */
void wire_shard(struct pagerd_shard *request, enum pagerd_type type, uint32_t shard);

/* Send the packet that begins with header (header->size bytes), with descriptor passed if it is
 * not negative. */
int wire_send(int socket, const struct pagerd_header *header, int passed);

/* Receive one reply of type into reply (bytes long). A packet of another size is taken only if
 * it reports an error. *received gets the descriptor that came along, or -1; NULL: none is
 * wanted. Returns the reply's error, or -errno. */
int wire_receive(int socket, enum pagerd_type type, struct pagerd_header *reply, size_t bytes,
		 int *received);

/* The same of a reply that, where it reports no error, carries two descriptors. */
int wire_receive_two(int socket, enum pagerd_type type, struct pagerd_header *reply, size_t bytes,
		     int received[2]);

/* Receive one packet of a text that answers a request of type. Returns as wire_receive. */
int wire_receive_text(int socket, enum pagerd_type type, struct pagerd_text *text);

/* wire_send and wire_receive. */
int wire_call(int socket, const struct pagerd_header *request, int passed,
	      struct pagerd_header *reply, size_t bytes, int *received);

/* Move a descriptor of ours out of the way of the program's numbers. Returns the new one; the
 * same one if nothing higher is free. */
int wire_move_high(int fd);

#endif
