/* SPDX-License-Identifier: MIT */
/*
 * Says which transfers aio(7) makes, after having looked at what they did.
 *
 *	aio FILE    (a path for a scratch file, on a disk)
 */
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE  4096u
#define BYTES (4u << 20)

static char own[2 * PAGE]; /* never paged */

static _Noreturn void failed(const char *what)
{
	fprintf(stderr, "aio: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int file_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		failed(path);
	return fd;
}

static char *map(int flags, int fd)
{
	char *memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		failed("mmap");
	return memory;
}

static struct aiocb control_of(int fd, void *memory, int operation)
{
	return (struct aiocb){
		.aio_fildes = fd,
		.aio_buf = memory,
		.aio_nbytes = PAGE,
		.aio_lio_opcode = operation,
	};
}

/* How the call went that gave result. */
static void tell(const char *what, int result, struct aiocb *control)
{
	const struct aiocb *list[] = {control};

	if (result < 0) {
		int error = errno;

		printf("%s: %s\n", what, strerror(error));
		if (aio_error(control) != error || aio_return(control) != -1)
			failed("what is said of the refused");
		return;
	}
	while (aio_error(control) == EINPROGRESS)
		aio_suspend(list, 1, NULL);
	if (aio_return(control) != (ssize_t)PAGE)
		failed(what);
	if (*(volatile char *)control->aio_buf != 'f')
		failed("what was read");
	printf("%s: done\n", what);
}

static void tell_read(const char *what, int fd, void *memory)
{
	struct aiocb control = control_of(fd, memory, LIO_READ);

	tell(what, aio_read(&control), &control);
}

static void tell_read64(const char *what, int fd, void *memory)
{
	struct aiocb control = control_of(fd, memory, LIO_READ);

	tell(what, aio_read64((struct aiocb64 *)&control), &control);
}

static void tell_write(const char *what, int fd, void *memory)
{
	struct aiocb control = control_of(fd, memory, LIO_WRITE);

	tell(what, aio_write(&control), &control);
}

/* A list of nothing, what needs nothing, and a read. */
static void tell_list(const char *what, int fd, void *memory)
{
	struct aiocb nothing = control_of(fd, memory, LIO_NOP);
	struct aiocb control = control_of(fd, memory, LIO_READ);
	struct aiocb *list[] = {NULL, &nothing, &control};

	tell(what, lio_listio(LIO_WAIT, list, 3, NULL), &control);
}

static void tell_list64(const char *what, int fd, void *memory)
{
	struct aiocb control = control_of(fd, memory, LIO_READ);
	struct aiocb64 *list[] = {(struct aiocb64 *)&control};

	tell(what, lio_listio64(LIO_WAIT, list, 1, NULL), &control);
}

/* What was stored through the mapping is in the file then; who looks is the kernel. */
static void tell_sync(const char *what, int fd, char *mapped)
{
	struct aiocb control = {.aio_fildes = fd};
	const struct aiocb *list[] = {&control};

	mapped[0] = 's';
	if (aio_fsync(O_SYNC, &control) < 0)
		failed(what);
	while (aio_error(&control) == EINPROGRESS)
		aio_suspend(list, 1, NULL);
	if (syscall(SYS_pread64, fd, own, 1, 0) != 1 || own[0] != 's')
		failed("what was to be made durable");
	printf("%s: done\n", what);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "aio.data";
	int fd = file_open(path, O_RDWR | O_CREAT | O_TRUNC);
	char *memory = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *page = own + (PAGE - (size_t)own % PAGE) % PAGE;
	int direct = file_open(path, O_RDWR | O_DIRECT);

	memset(memory, 'f', BYTES);
	if (write(fd, memory, BYTES) != (ssize_t)BYTES || fsync(fd) < 0)
		failed("write");
	tell_read("read", fd, memory);
	tell_list("list", fd, memory);
	tell_write("direct write", direct, memory);
	tell_read("direct read elsewhere", direct, page);
	tell_read("direct read", direct, memory);
	tell_read64("direct read64", direct, memory);
	tell_list("direct list", direct, memory);
	tell_list64("direct list64", direct, memory);
	char *mapped = map(MAP_SHARED, fd);
	tell_read("mapped read", fd, page);
	tell_write("mapped write", fd, page);
	tell_sync("mapped sync", fd, mapped);
	return 0;
}
