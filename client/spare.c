/* SPDX-License-Identifier: MIT */
#include "spare.h"

#include <sys/socket.h>

#include "sys.h"
#include "wire.h"

static int spares[SPARE_DESCRIPTORS] = {[0 ... SPARE_DESCRIPTORS - 1] = -1};

/* Sockets that nobody is connected to: they keep nothing else open. */
void spare_fill(void)
{
	for (int i = 0; i < SPARE_DESCRIPTORS; i++) {
		if (spares[i] >= 0)
			continue;
		int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		__atomic_store_n(&spares[i], wire_move_high(fd), __ATOMIC_RELAXED);
	}
}

bool spare_release(void)
{
	bool any = false;
	for (int i = 0; i < SPARE_DESCRIPTORS; i++) {
		int fd = spares[i];
		__atomic_store_n(&spares[i], -1, __ATOMIC_RELAXED);
		if (fd >= 0 && sys_close(fd) == 0)
			any = true;
	}
	return any;
}

void spare_descriptors(int fds[SPARE_DESCRIPTORS])
{
	for (int i = 0; i < SPARE_DESCRIPTORS; i++)
		fds[i] = __atomic_load_n(&spares[i], __ATOMIC_RELAXED);
}
