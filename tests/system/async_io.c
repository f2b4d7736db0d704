/* SPDX-License-Identifier: MIT */
/* Says whether it can have a ring for asynchronous I/O. */
#include <liburing.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	struct io_uring ring;
	int result = io_uring_queue_init(4, &ring, 0);
	puts(result < 0 ? strerror(-result) : "a ring");
	return 0;
}
