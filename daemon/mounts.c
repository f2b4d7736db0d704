/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "descriptor.h"

#define CHUNK_BYTES 4096u
/* Others' lists are read no further: whoever is in a namespace of its own may make it long. */
#define OTHERS_BYTES (64u << 10)

/* ---- lines ------------------------------------------------------------------------------- */

static enum mount_kind kind_of(const char *type)
{
	static const char *const local[] = {
		"ext2",	   "ext3",  "ext4",	"xfs",	    "btrfs", "bcachefs", "f2fs",
		"zfs",	   "jfs",   "nilfs2",	"reiserfs", "tmpfs", "ramfs",	 "rootfs",
		"vfat",	   "msdos", "exfat",	"ntfs3",    "hfs",   "hfsplus",	 "udf",
		"iso9660", "erofs", "squashfs", "minix",    "proc",
	};
	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		if (!strcmp(type, local[i]))
			return MOUNT_LOCAL;
	return strcmp(type, "overlay") ? MOUNT_SERVED : MOUNT_LAYERED;
}

/* One line of mountinfo (proc(5)): "36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/root rw". No
 * name in it contains a space. */
static bool line_parse(const char *line, struct mount *mount)
{
	char type[32];
	const char *rest = strstr(line, " - ");
	if (!rest || sscanf(rest, " - %31s", type) != 1 ||
	    sscanf(line, "%u %*u %u:%u", &mount->number, &mount->major, &mount->minor) != 3)
		return false;
	mount->kind = kind_of(type);
	return true;
}

/* All that there is, up to most bytes, as a string that the caller frees; or NULL. */
static char *text_read(int fd, size_t most)
{
	size_t length = 0, room = CHUNK_BYTES;
	char *text = malloc(room + 1);
	ssize_t got = 1;
	while (text && got > 0 && length < most) {
		if (length == room) {
			char *larger = realloc(text, 2 * room + 1);
			if (!larger)
				break;
			text = larger;
			room *= 2;
		}
		got = read(fd, text + length, room - length);
		length += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[length] = 0;
	return text;
}

/* ---- without a list ----------------------------------------------------------------------- */

struct path_told { /* FS_IOC_GETFSSYSFSPATH: "ext4/sda1" */
	uint8_t length;
	char path[128];
};

/* From this one on the kernel answers by itself. Earlier ones would ask the file system. */
static bool kernel_tells(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;
	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 10));
}

/* Some file systems can be told of any file, whatever list its mount is on. */
static bool told_local(const struct mounts *mounts, int fd)
{
	struct path_told told = {0};
	if (!mounts->told || ioctl(fd, _IOR(0x15, 1, struct path_told), &told))
		return false;
	char *slash = memchr(told.path, '/', sizeof told.path);
	if (!slash)
		return false;
	*slash = 0;
	return kind_of(told.path) == MOUNT_LOCAL;
}

/* ---- our own list ------------------------------------------------------------------------ */

static int by_number(const void *one, const void *other)
{
	const struct mount *a = one, *b = other;
	return (a->number > b->number) - (a->number < b->number);
}

static size_t lines_of(const char *text)
{
	size_t count = 0;
	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

/* What cannot be read is not known. */
static void list_read(struct mounts *mounts)
{
	free(mounts->list);
	mounts->list = NULL;
	mounts->count = 0;
	char *text = lseek(mounts->fd, 0, SEEK_SET) ? NULL : text_read(mounts->fd, SIZE_MAX);
	if (text)
		mounts->list = calloc(lines_of(text) + 1, sizeof *mounts->list);
	char *rest = text, *line;
	while (mounts->list && (line = strsep(&rest, "\n")) && rest)
		mounts->count += line_parse(line, &mounts->list[mounts->count]);
	free(text);
	if (mounts->count)
		qsort(mounts->list, mounts->count, sizeof *mounts->list, by_number);
}

/* Numbers are used again: but who has a descriptor already has it of a mount that was there before
 * this was asked. The kernel tells of a change once. */
static bool list_changed(struct mounts *mounts)
{
	struct pollfd list = {.fd = mounts->fd, .events = POLLPRI};
	if (poll(&list, 1, 0) > 0)
		mounts->stale = true;
	return mounts->stale;
}

static const struct mount *list_find(const struct mounts *mounts, uint32_t number)
{
	const struct mount key = {.number = number};
	return mounts->count ? bsearch(&key, mounts->list, mounts->count, sizeof key, by_number)
			     : NULL;
}

/*
 * Who is root in a namespace of his own can put an overlay over a file system that he serves
 * himself. One that is mounted here as well was made by who may mount here.
 */
static bool local_here(const struct mounts *mounts, const struct mount *mount)
{
	if (mount->kind != MOUNT_LAYERED)
		return mount->kind == MOUNT_LOCAL;
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *here = &mounts->list[i];
		if (here->kind == MOUNT_LAYERED && here->major == mount->major &&
		    here->minor == mount->minor)
			return true;
	}
	return false;
}

/* ---- others' lists ----------------------------------------------------------------------- */

static bool others_find(pid_t pid, uint32_t number, struct mount *mount)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/mountinfo", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	char *text = text_read(fd, OTHERS_BYTES);
	close(fd);
	bool found = false;
	char *rest = text, *line;
	while (text && !found && (line = strsep(&rest, "\n")) && rest)
		found = line_parse(line, mount) && mount->number == number;
	free(text);
	return found;
}

/* ---- a file's mount ---------------------------------------------------------------------- */

/* The number that comes with a handle, of file systems whose files have them: these are made of
 * what the kernel has. statx(2) would have the number, too, but there some file systems ask their
 * server. */
static bool handle_asked(int fd, int flags, void *number)
{
	struct file_handle none = {.handle_bytes = 0};
	return name_to_handle_at(fd, "", &none, number, AT_EMPTY_PATH | flags) < 0 &&
	       errno == EOVERFLOW;
}

/* The quick way. */
static bool number_with_handle(int fd, uint32_t *number)
{
	int found;
	if (!handle_asked(fd, 0, &found))
		return false;
	*number = (uint32_t)found;
	return true;
}

/* Of a file: what is shown of others may wait for locks of theirs. */
static bool number_shown(int fd, uint32_t *number)
{
	char path[40], text[256];
	if (descriptor_kind(fd) != DESCRIPTOR_FILE)
		return false;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return false;
	ssize_t length = read(info, text, sizeof text - 1);
	close(info);
	text[length > 0 ? length : 0] = 0;
	const char *line = strstr(text, "\nmnt_id:");
	return line && sscanf(line, "\nmnt_id: %u", number) == 1;
}

static bool number_of(int fd, uint32_t *number)
{
	return number_with_handle(fd, number) || number_shown(fd, number);
}

/* ---- those that were found --------------------------------------------------------------- */

#ifndef AT_HANDLE_MNT_ID_UNIQUE /* Linux 6.12 */
#define AT_HANDLE_MNT_ID_UNIQUE 1
#endif

/* The number that no other mount ever has, or 0. */
static uint64_t number_unique(int fd)
{
	uint64_t number = 0;
	return handle_asked(fd, AT_HANDLE_MNT_ID_UNIQUE, &number) ? number : 0;
}

static bool known_find(const struct mounts *mounts, uint64_t unique)
{
	for (uint32_t i = 0; unique && i < MOUNTS_KNOWN && mounts->known[i]; i++)
		if (mounts->known[i] == unique)
			return true;
	return false;
}

static void known_add(struct mounts *mounts, uint64_t unique)
{
	if (unique)
		mounts->known[mounts->known_next++ % MOUNTS_KNOWN] = unique;
}

static bool local_listed(struct mounts *mounts, uint32_t number, pid_t pid)
{
	if (list_changed(mounts)) {
		mounts->stale = false;
		list_read(mounts);
	}
	struct mount others;
	const struct mount *mount = list_find(mounts, number);
	if (!mount && pid > 0 && others_find(pid, number, &others))
		mount = &others;
	return mount && local_here(mounts, mount);
}

bool mounts_local(struct mounts *mounts, int fd, pid_t pid)
{
	uint32_t number;
	if (told_local(mounts, fd))
		return true;
	if (mounts->fd < 0 || !number_of(fd, &number))
		return false;
	uint64_t unique = number_unique(fd);
	pthread_mutex_lock(&mounts->lock);
	bool local = known_find(mounts, unique);
	if (!local) {
		local = local_listed(mounts, number, pid);
		known_add(mounts, local ? unique : 0);
	}
	pthread_mutex_unlock(&mounts->lock);
	return local;
}

bool mounts_local_known(struct mounts *mounts, int fd)
{
	uint32_t number;
	if (told_local(mounts, fd))
		return true;
	if (mounts->fd < 0 || !number_of(fd, &number) || pthread_mutex_trylock(&mounts->lock))
		return false;
	bool local = known_find(mounts, number_unique(fd));
	if (!local && !list_changed(mounts)) {
		const struct mount *mount = list_find(mounts, number);
		local = mount && local_here(mounts, mount);
	}
	pthread_mutex_unlock(&mounts->lock);
	return local;
}

/* ---- life -------------------------------------------------------------------------------- */

void mounts_init(struct mounts *mounts)
{
	*mounts = (struct mounts){.stale = true, .told = kernel_tells()};
	pthread_mutex_init(&mounts->lock, NULL);
	mounts->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
}

void mounts_finish(struct mounts *mounts)
{
	if (mounts->fd >= 0)
		close(mounts->fd);
	free(mounts->list);
	pthread_mutex_destroy(&mounts->lock);
}
