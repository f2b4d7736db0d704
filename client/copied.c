/* SPDX-License-Identifier: MIT */
/*
 * Transfers between a file and paged memory by way of memory that is never paged.
 *
 * Bytes are copied by the kernel, to and from a file of our own, because it gives EFAULT where a
 * load or a store gives a signal, and copies what can be copied, to the byte.
 */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coherent.h"
#include "preload.h"

#define COPY_BYTES     (1ull << 20)
#define TRANSFER_MAX   0x7ffff000ull /* what read(2) and write(2) do at most */
#define VECTOR_ROOM    (IOV_MAX * sizeof(struct iovec))
#define VECTOR_AT_ONCE 32

/* Memory that is never paged, as a file and mapped; and room for a call's vector behind it. */
struct copy {
	int fd;
	uint64_t size;
	char *bytes;
	struct iovec *vector;
};

long peek(void *to, const void *from, uint64_t bytes)
{
	struct iovec local = {to, bytes}, remote = {(void *)from, bytes};
	return sys_call(SYS_process_vm_readv, sys_getpid(), (long)&local, 1, (long)&remote, 1, 0);
}

long vector_bytes(const struct iovec *vector, int count)
{
	struct iovec copy[VECTOR_AT_ONCE];
	uint64_t bytes = 0;
	if (count < 0 || count > IOV_MAX)
		return -EINVAL;
	for (int done = 0; done < count; done += VECTOR_AT_ONCE) {
		int n = count - done < VECTOR_AT_ONCE ? count - done : VECTOR_AT_ONCE;
		if (peek(copy, vector + done, (uint64_t)n * sizeof(*copy)) !=
		    n * (long)sizeof(*copy))
			return -EFAULT;
		for (int i = 0; i < n; i++) {
			if (copy[i].iov_len > LONG_MAX - bytes)
				return -EINVAL;
			bytes += copy[i].iov_len;
		}
	}
	return (long)bytes;
}

bool file_reads_direct(const struct file_call *call)
{
	struct stat st;
	int mode = sys_fcntl(call->fd, F_GETFL, 0);
	if (call->write || mode < 0 || !(mode & O_DIRECT) || !preload_paging() ||
	    sys_fstat(call->fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return false;
	bool paged = false;
	sys_signals signals;
	preload_enter(&signals);
	for (int i = 0; i < call->count && !paged; i++) {
		uint64_t start = (uint64_t)call->vector[i].iov_base;
		uint64_t bytes = call->vector[i].iov_len;
		paged = start + bytes >= start &&
			regions_overlap(&preload.paged.regions, start, start + bytes);
	}
	preload_leave(&signals);
	return paged;
}

/* The program's buffers, as far as they are not done. */
struct rest {
	struct iovec *vector;
	int count;
};

static void rest_skip(struct rest *rest, uint64_t bytes)
{
	while (rest->count && bytes >= rest->vector->iov_len) {
		bytes -= rest->vector->iov_len;
		rest->vector++;
		rest->count--;
	}
	if (rest->count) {
		rest->vector->iov_base = (char *)rest->vector->iov_base + bytes;
		rest->vector->iov_len -= bytes;
	}
}

static uint64_t rest_bytes(const struct rest *rest)
{
	uint64_t bytes = 0;
	for (int i = 0; i < rest->count; i++)
		bytes += rest->vector[i].iov_len;
	return bytes < TRANSFER_MAX ? bytes : TRANSFER_MAX;
}

long file_transfer_bytes(const struct file_call *call, const void *copy, uint64_t bytes,
			 uint64_t done)
{
	long fd = call->fd;
	long position = call->position < 0 ? -1 : call->position + (long)done;
	struct iovec one = {(void *)copy, bytes};
	if (call->flags)
		return sys_call(call->write ? SYS_pwritev2 : SYS_preadv2, fd, (long)&one, 1,
				position, 0, call->flags);
	if (position < 0)
		return sys_call(call->write ? SYS_write : SYS_read, fd, (long)copy, (long)bytes, 0,
				0, 0);
	return sys_call(call->write ? SYS_pwrite64 : SYS_pread64, fd, (long)copy, (long)bytes,
			position, 0, 0);
}

/* Fill the copy with the next bytes of the buffers. */
static long copy_gather(const struct copy *copy, struct rest *rest, uint64_t want)
{
	uint64_t bytes = 0;
	int last = 0;
	while (bytes + rest->vector[last].iov_len < want)
		bytes += rest->vector[last++].iov_len;
	uint64_t whole = rest->vector[last].iov_len;
	rest->vector[last].iov_len = want - bytes;
	long got = sys_call(SYS_pwritev, copy->fd, (long)rest->vector, last + 1, 0, 0, 0);
	rest->vector[last].iov_len = whole;
	return got;
}

static long copy_out(const struct file_call *call, struct rest *rest, const struct copy *copy)
{
	uint64_t done = 0, total = rest_bytes(rest);
	while (done < total) {
		uint64_t want = total - done < copy->size ? total - done : copy->size;
		long got = copy_gather(copy, rest, want);
		/* File systems differ in what such a write does to the file. */
		if (got == -EFAULT && done == 0)
			return file_system_call(call);
		if (got > 0)
			got = file_transfer_bytes(call, copy->bytes, (uint64_t)got, done);
		if (got < 0)
			return done ? (long)done : got;
		done += (uint64_t)got;
		if ((uint64_t)got < want)
			break;
		rest_skip(rest, want);
	}
	return (long)done;
}

/* Fill the buffers with what is in the copy: by the kernel, as above. */
static long copy_scatter(const struct copy *copy, const struct rest *rest, uint64_t bytes)
{
	uint64_t most = bytes;
	int last = 0;
	while (most > rest->vector[last].iov_len)
		most -= rest->vector[last++].iov_len;
	uint64_t whole = rest->vector[last].iov_len;
	rest->vector[last].iov_len = most;
	long done = sys_call(SYS_preadv, copy->fd, (long)rest->vector, last + 1, 0, 0, 0);
	rest->vector[last].iov_len = whole;
	return done;
}

/* As the kernel: where a buffer cannot be written the call fails, though what could be is. */
static long copy_refused(const struct file_call *call, uint64_t bytes)
{
	if (call->position < 0)
		sys_call(SYS_lseek, call->fd, -(long)bytes, SEEK_CUR, 0, 0, 0);
	return -EFAULT;
}

static long copy_in(const struct file_call *call, struct rest *rest, const struct copy *copy)
{
	uint64_t done = 0, total = rest_bytes(rest);
	while (done < total) {
		uint64_t want = total - done < copy->size ? total - done : copy->size;
		long got = file_transfer_bytes(call, copy->bytes, want, done);
		if (got < 0)
			return done ? (long)done : got;
		if (got && copy_scatter(copy, rest, (uint64_t)got) != got)
			return copy_refused(call, done + (uint64_t)got);
		done += (uint64_t)got;
		if ((uint64_t)got < want)
			break;
		rest_skip(rest, want);
	}
	return (long)done;
}

static void copy_end(const struct copy *copy)
{
	sys_munmap((uint64_t)copy->bytes, COPY_BYTES + VECTOR_ROOM);
	sys_close(copy->fd);
}

/* The process's limit of file sizes holds for ours, too, and its signal with it. */
static uint64_t copy_size(void)
{
	struct rlimit limit;
	if (sys_call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0) < 0 ||
	    limit.rlim_cur > COPY_BYTES)
		return COPY_BYTES;
	return limit.rlim_cur & ~(PAGE_BYTES - 1);
}

static bool copy_make(struct copy *copy)
{
	copy->size = copy_size();
	if (!copy->size)
		return false;
	long place = sys_mmap(0, COPY_BYTES + VECTOR_ROOM, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (place < 0)
		return false;
	copy->bytes = (char *)place;
	copy->vector = (struct iovec *)(copy->bytes + COPY_BYTES);
	copy->fd = (int)sys_call(SYS_memfd_create, (long)"pagerd-copy", MFD_CLOEXEC, 0, 0, 0, 0);
	if (sys_call(SYS_ftruncate, copy->fd, (long)copy->size, 0, 0, 0, 0) == 0 &&
	    sys_mmap((uint64_t)place, copy->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		     copy->fd, 0) == place)
		return true;
	copy_end(copy);
	return false;
}

long file_copied(const struct file_call *call)
{
	struct copy copy;
	if (!copy_make(&copy))
		return file_system_call(call);
	struct rest rest = {copy.vector, call->count};
	uint64_t bytes = (uint64_t)call->count * sizeof(struct iovec);
	long result;
	if (peek(copy.vector, call->vector, bytes) != (long)bytes)
		result = file_system_call(call);
	else
		result = call->write ? copy_out(call, &rest, &copy) : copy_in(call, &rest, &copy);
	copy_end(&copy);
	return result;
}
