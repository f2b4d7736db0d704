/* SPDX-License-Identifier: MIT */
/*
 * Which descriptors the gate admits: by what they are of, and by the mounts of their files. What
 * needs mounts is tried as root alone, in namespaces of the test's own.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../daemon/gate.h"
#include "suite.h"
#include "uapi.h"

#include "../../daemon/mounts.c"

static struct gate gate;

static void setup(void)
{
	gate_init(&gate, false);
}

static void teardown(void)
{
	gate_finish(&gate);
}

/* ---- kinds ------------------------------------------------------------------------------- */

static int file_new(int flags)
{
	char name[] = "/tmp/gate.XXXXXX";
	int fd = mkstemp(name), own = open(name, flags | O_CLOEXEC);
	close(fd);
	unlink(name);
	ck_assert_int_ge(own, 0);
	return own;
}

/* One whose name is longer than the kernel tells. */
static int file_far(void)
{
	enum { DEPTH = 20 };
	char top[] = "/tmp/gate.XXXXXX", name[251];
	int at[DEPTH + 1];
	memset(name, 'd', sizeof name - 1);
	name[sizeof name - 1] = 0;
	ck_assert_ptr_nonnull(mkdtemp(top));
	at[0] = open(top, O_PATH | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		ck_assert(!mkdirat(at[i], name, 0700));
		at[i + 1] = openat(at[i], name, O_PATH | O_CLOEXEC);
	}
	int fd = openat(at[DEPTH], "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unlinkat(at[DEPTH], "file", 0);
	for (int i = DEPTH; i; i--) {
		close(at[i]);
		unlinkat(at[i - 1], name, AT_REMOVEDIR);
	}
	close(at[0]);
	rmdir(top);
	return fd;
}

START_TEST(admitted)
{
	int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	int fds[] = {
		memfd_create("/gate", MFD_CLOEXEC),
		file_new(O_RDWR),
		file_new(O_PATH),
		file_far(),
		open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC),
		device < 0 ? (int)syscall(SYS_userfaultfd, O_CLOEXEC)
			   : ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC),
	};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		ck_assert_int_ge(fds[i], 0);
		ck_assert_msg(gate_admits(&gate, fds[i], 0), "the descriptor %zu", i);
		/* The pager's thread takes files only. */
		ck_assert_int_eq(gate_admits_known(&gate, fds[i]), i < 5);
		close(fds[i]);
	}
}
END_TEST

START_TEST(refused)
{
	int ends[2];
	ck_assert(!pipe2(ends, O_CLOEXEC));
	int fds[] = {
		ends[0],
		ends[1],
		eventfd(0, EFD_CLOEXEC),
		epoll_create1(EPOLL_CLOEXEC),
		open("/dev/null", O_RDWR | O_CLOEXEC),
		open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		open("/tmp", O_PATH | O_CLOEXEC),
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		ck_assert_int_ge(fds[i], 0);
		ck_assert_msg(!gate_admits(&gate, fds[i], getpid()), "the descriptor %zu", i);
		ck_assert(!gate_admits_known(&gate, fds[i]));
		close(fds[i]);
	}
	ck_assert(!gate_admits(&gate, fds[0], getpid())); /* not open */
}
END_TEST

/* ---- lines ------------------------------------------------------------------------------- */

static const struct {
	const char *line;
	enum mount_kind kind;
} lines[] = {
	{"7 1 8:1 / / rw - ext4 /dev/sda1 rw", MOUNT_LOCAL},
	{"7 1 0:9 /@ /a\\040-\\040b rw shared:1 master:2 - btrfs /dev/x rw", MOUNT_LOCAL},
	{"7 1 0:9 / /tmp rw shared:5 - tmpfs - rw", MOUNT_LOCAL},
	{"7 1 0:9 / / rw - overlay overlay rw,lowerdir=/a:/b", MOUNT_LAYERED},
	{"7 1 0:9 / /m rw - fuse ext4 rw", MOUNT_SERVED},
	{"7 1 0:9 / /m rw - fuse.sshfs - ext4 rw", MOUNT_SERVED},
	{"7 1 8:1 / /m rw - fuseblk /dev/sdb1 rw", MOUNT_SERVED},
	{"7 1 0:9 / /m rw - nfs4 ext4:/ rw", MOUNT_SERVED},
	{"7 1 0:9 / /m rw - cifs //ext4/a rw", MOUNT_SERVED},
	{"7 1 0:9 / /m rw - virtiofs ext4 rw", MOUNT_SERVED},
	{"7 1 0:9 / /m rw - new_and_unknown ext4 rw", MOUNT_SERVED},
	{"7 1 0:9 / /m rw - a_type_that_is_longer_than_thirty_two_bytes - rw", MOUNT_SERVED},
};

START_TEST(lines_say_the_kind)
{
	struct mount mount;
	ck_assert(line_parse(lines[_i].line, &mount));
	ck_assert_int_eq(mount.kind, lines[_i].kind);
	ck_assert_uint_eq(mount.number, 7);
	ck_assert_uint_eq(mount.minor, mount.major ? 1 : 9);
	for (const char *rest = lines[_i].line; *rest; rest++) {
		char *part = strndup(lines[_i].line, (size_t)(rest - lines[_i].line));
		ck_assert(!line_parse(part, &mount) || strstr(part, " - "));
		free(part);
	}
}
END_TEST

/* ---- mounts ------------------------------------------------------------------------------ */

/* A namespace of our own, with an empty /tmp, where we are; and a gate there. */
static bool may_mount(void)
{
	if (geteuid() || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	gate_finish(&gate);
	gate_init(&gate, false);
	return !mount("gate", "/tmp", "tmpfs", 0, NULL) && !chdir("/tmp") && !mkdir("m", 0700) &&
	       !mkdir("lower", 0700);
}

/* One whose server answers nothing: any call that asks it waits for ever. */
static int fuse_mount(const char *where)
{
	char options[100];
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 device);
	if (device >= 0 && mount("gate", where, "fuse", 0, options)) {
		close(device);
		return -1;
	}
	return device;
}

static int file_in(const char *directory, int at)
{
	int there = openat(at, directory, O_PATH | O_CLOEXEC);
	int fd = openat(there, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(there);
	return fd;
}

START_TEST(served_is_not_asked)
{
	int device = may_mount() ? fuse_mount("m") : -1;
	if (device < 0)
		return;
	int fd = open("m", O_PATH | O_CLOEXEC);
	ck_assert(!gate_admits(&gate, fd, getpid()));
	ck_assert(!gate_admits_known(&gate, fd));
	umount2("m", MNT_DETACH);
	ck_assert(!gate_admits(&gate, fd, getpid())); /* on no list */
	close(fd);
	close(device);
}
END_TEST

/* Numbers of mounts that have gone are given to new ones. */
START_TEST(list_follows)
{
	if (!may_mount())
		return;
	ck_assert(!mount("gate", "m", "tmpfs", 0, NULL));
	/* Seals would tell of a tmpfs's file. */
	int fd = open("m", O_PATH | O_CLOEXEC);
	uint32_t number, again;
	ck_assert(number_shown(fd, &number));
	ck_assert(!number_with_handle(fd, &again) || again == number);
	ck_assert(!mounts_local_known(&gate.mounts, fd)); /* not before it was looked at */
	ck_assert(mounts_local(&gate.mounts, fd, 0));
	ck_assert(mounts_local_known(&gate.mounts, fd));
	close(fd);
	ck_assert(!umount2("m", 0));
	int device = fuse_mount("m");
	if (device < 0)
		return;
	fd = open("m", O_PATH | O_CLOEXEC);
	ck_assert(number_of(fd, &again));
	if (number != again)
		printf("the number of a mount was not used again\n");
	ck_assert(!mounts_local_known(&gate.mounts, fd));
	ck_assert(!mounts_local(&gate.mounts, fd, getpid()));
	ck_assert(!mounts_local_known(&gate.mounts, fd));
	close(fd);
	close(device);
}
END_TEST

/* ---- namespaces -------------------------------------------------------------------------- */

/* A process in a mount namespace of its own, and a file that it has opened there. */
struct stranger {
	pid_t pid;
	int fd;
	int end; /* closed: it ends */
};

static struct stranger stranger_new(void (*prepare)(void), const char *directory)
{
	int files[2], end[2];
	ck_assert(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, files));
	ck_assert(!pipe2(end, O_CLOEXEC));
	struct stranger stranger = {.pid = fork(), .end = end[1]};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {{.cmsg_len = CMSG_LEN(sizeof(int)),
		      .cmsg_level = SOL_SOCKET,
		      .cmsg_type = SCM_RIGHTS}};
	struct msghdr msg = {.msg_control = control.bytes, .msg_controllen = sizeof control};
	if (!stranger.pid) {
		char byte;
		close(end[1]);
		if (unshare(CLONE_NEWNS))
			_exit(1);
		prepare();
		int fd = file_in(directory, AT_FDCWD);
		memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
		_exit(sendmsg(files[1], &msg, 0) < 0 || read(end[0], &byte, 1) != 0);
	}
	close(files[1]);
	close(end[0]);
	ck_assert_int_ge(recvmsg(files[0], &msg, MSG_CMSG_CLOEXEC), 0);
	memcpy(&stranger.fd, CMSG_DATA(&control.align), sizeof stranger.fd);
	close(files[0]);
	return stranger;
}

static void stranger_end(const struct stranger *stranger)
{
	close(stranger->fd);
	close(stranger->end);
	waitpid(stranger->pid, NULL, 0);
}

static void overlay_mount(void)
{
	ck_assert(!mount("gate", "m", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"));
}

static void overlay_prepare(void)
{
	ck_assert(!mkdir("upper", 0700));
	ck_assert(!mkdir("work", 0700));
}

static void nothing(void)
{
}

/* As a container's: the overlay was mounted where we are, and its namespace has a copy. */
START_TEST(copy_of_a_layered_mount)
{
	if (!may_mount())
		return;
	overlay_prepare();
	overlay_mount();
	struct stranger stranger = stranger_new(nothing, "m");
	ck_assert(!gate_admits_known(&gate, stranger.fd));
	ck_assert(!gate_admits(&gate, stranger.fd, 0));
	ck_assert(!gate_admits(&gate, stranger.fd, getpid()));
	ck_assert(gate_admits(&gate, stranger.fd, stranger.pid));
	stranger_end(&stranger);
	int fd = file_in("m", AT_FDCWD);
	ck_assert(gate_admits(&gate, fd, 0));
	close(fd);
}
END_TEST

/* What he may have put below it, nobody knows. */
START_TEST(layered_mount_of_a_stranger)
{
	if (!may_mount())
		return;
	overlay_prepare();
	struct stranger stranger = stranger_new(overlay_mount, "m");
	ck_assert(!gate_admits(&gate, stranger.fd, stranger.pid));
	stranger_end(&stranger);
}
END_TEST

/* A file that was opened before its mount was lost sight of. */
START_TEST(told_without_a_list)
{
	if (!may_mount())
		return;
	struct stranger stranger = stranger_new(nothing, "/var/tmp");
	if (told_local(&gate.mounts, stranger.fd)) {
		ck_assert(gate_admits(&gate, stranger.fd, 0));
		ck_assert(gate_admits_known(&gate, stranger.fd));
	} else {
		printf("the kernel does not tell of the file system of /var/tmp\n");
	}
	stranger_end(&stranger);
	unlink("/var/tmp/file");
}
END_TEST

/* The same of a file system that the kernel does not tell of. */
START_TEST(known_again)
{
	if (!may_mount())
		return;
	ck_assert(!mount("gate", "m", "tmpfs", 0, NULL));
	int fd = open("m", O_PATH | O_CLOEXEC), other = dup(fd);
	ck_assert(mounts_local(&gate.mounts, fd, 0));
	ck_assert(!umount2("m", MNT_DETACH));
	bool unique = number_unique(fd);
	ck_assert_int_eq(mounts_local(&gate.mounts, fd, 0), unique);
	ck_assert_int_eq(mounts_local_known(&gate.mounts, other), unique);
	close(fd);
	close(other);
	if (!unique)
		printf("the kernel has no such numbers\n");
	/* More than are kept: the first is forgotten, the last is not. */
	for (uint64_t i = 1; i <= MOUNTS_KNOWN + 1; i++)
		known_add(&gate.mounts, i);
	ck_assert(!known_find(&gate.mounts, 1));
	ck_assert(known_find(&gate.mounts, 2));
	ck_assert(known_find(&gate.mounts, MOUNTS_KNOWN + 1));
	ck_assert(!known_find(&gate.mounts, 0));
}
END_TEST

START_TEST(list_of_a_process)
{
	struct mount mount;
	if (!may_mount())
		return;
	int fd = open("m", O_PATH | O_CLOEXEC);
	uint32_t number;
	ck_assert(number_of(fd, &number));
	ck_assert(others_find(getpid(), number, &mount));
	ck_assert_int_eq(mount.kind, MOUNT_LOCAL);
	ck_assert(!others_find(getpid(), UINT32_MAX, &mount));
	ck_assert(!others_find(1 << 30, number, &mount));
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, admitted);
	tcase_add_test(tcase, refused);
	tcase_add_loop_test(tcase, lines_say_the_kind, 0, sizeof lines / sizeof *lines);
	tcase_add_test(tcase, served_is_not_asked);
	tcase_add_test(tcase, list_follows);
	tcase_add_test(tcase, copy_of_a_layered_mount);
	tcase_add_test(tcase, layered_mount_of_a_stranger);
	tcase_add_test(tcase, told_without_a_list);
	tcase_add_test(tcase, known_again);
	tcase_add_test(tcase, list_of_a_process);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
