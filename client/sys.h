/* SPDX-License-Identifier: MIT */
/*
 * System calls that return -errno and leave errno alone.
 *
 * Everything that the preloaded library runs inside a program's mmap(2) goes through these: they
 * are no cancellation points, take no lock, allocate nothing, and cannot be interposed.
 */
#ifndef PAGERD_CLIENT_SYS_H
#define PAGERD_CLIENT_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>

struct msghdr;
struct sockaddr;
struct stat;
struct statfs;

#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

#define PAGE_BYTES 4096ull

/* Newer than Debian 12's headers. */
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* Set of signals as the kernel has it. */
typedef uint64_t sys_signals;

/* The call itself; -errno on failure. */
long sys_call(long number, long a, long b, long c, long d, long e, long f);

/* The address, or -errno. */
long sys_mmap(uint64_t address, uint64_t length, int protection, int flags, int fd,
	      uint64_t offset);
int sys_munmap(uint64_t address, uint64_t length);
int sys_mprotect(uint64_t address, uint64_t length, int protection);
int sys_madvise(uint64_t address, uint64_t length, int advice);
int sys_msync(uint64_t address, uint64_t length, int flags);
long sys_mremap(uint64_t address, uint64_t length, uint64_t new_length, int flags,
		uint64_t new_address);

int sys_remap_file_pages(uint64_t address, uint64_t length, int protection, uint64_t page,
			 int flags);

/* mlock2(2), or mlock(2) if flags is 0. */
int sys_mlock(uint64_t address, uint64_t length, unsigned flags);
int sys_munlock(uint64_t address, uint64_t length);
int sys_mlockall(int flags);
int sys_munlockall(void);

long sys_write(int fd, const void *data, size_t bytes);
int sys_close(int fd);
int sys_fcntl(int fd, int command, long argument);
int sys_ioctl(int fd, unsigned long request, long argument);
int sys_fstat(int fd, struct stat *status);
int sys_fstatfs(int fd, struct statfs *status);
int sys_dup3(int fd, int new_fd, int flags);
int sys_close_range(unsigned first, unsigned last, unsigned flags);
/* Soft limit of descriptors. */
uint64_t sys_descriptor_limit(void);

int sys_socket(int domain, int type);
int sys_connect(int fd, const struct sockaddr *address, size_t bytes);
int sys_getsockopt(int fd, int level, int name, void *value, uint32_t *bytes);
long sys_sendmsg(int fd, const struct msghdr *message, int flags);
long sys_recvmsg(int fd, struct msghdr *message, int flags);
int sys_userfaultfd(int flags);

int sys_getpid(void);
/* The name of the calling thread; name has 16 bytes. */
void sys_thread_name(char *name);
_Noreturn void sys_exit(int status);

/* Block all signals of the calling thread; *old is the set to put back. */
void sys_block_signals(sys_signals *old);
void sys_restore_signals(const sys_signals *old);
void sys_unblock_signal(int signal);

/* Sleep while *word is value; returns also without reason. */
void sys_futex_wait(uint32_t *word, uint32_t value);
/* The same until that time of CLOCK_MONOTONIC: -ETIMEDOUT. */
int sys_futex_wait_until(uint32_t *word, uint32_t value, const struct timespec *end);
void sys_futex_wake(uint32_t *word);

/* Write all of text to standard error. */
void sys_complain(const char *text);

#endif
