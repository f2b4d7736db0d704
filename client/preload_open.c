/* SPDX-License-Identifier: MIT */
/* Wrappers of the calls that open files, and make them empty (O_TRUNC). */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "coherent.h"
#include "cut.h"
#include "preload.h"

/* ---- open(2) --------------------------------------------------------------------------------- */

static int file_open(int directory, const char *path, int flags, mode_t mode)
{
	struct file_call call = {
		.number = SYS_openat,
		.arguments = {directory, (long)path, flags, (long)mode},
	};
	struct cut cut = {.socket = -1};
	if (flags & O_TRUNC)
		cut = cut_begin_path(directory, path, flags, 0);
	return (int)preload_result(cut_call(&cut, &call));
}

#define MODE_TAKE(flags, mode)                                                                     \
	do {                                                                                       \
		va_list more;                                                                      \
		va_start(more, flags);                                                             \
		mode = __OPEN_NEEDS_MODE(flags) ? va_arg(more, mode_t) : 0;                        \
		va_end(more);                                                                      \
	} while (0)

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode;
	MODE_TAKE(flags, mode);
	return file_open(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...) __attribute__((alias("open")));

EXPORT int openat(int directory, const char *path, int flags, ...)
{
	mode_t mode;
	MODE_TAKE(flags, mode);
	return file_open(directory, path, flags, mode);
}

EXPORT int openat64(int directory, const char *path, int flags, ...)
	__attribute__((alias("openat")));

EXPORT int creat(const char *path, mode_t mode)
{
	return file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

EXPORT int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));

/* What programs call that were compiled with _FORTIFY_SOURCE, where there is no mode. */
int __open_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);

EXPORT int __open_2(const char *path, int flags)
{
	return file_open(AT_FDCWD, path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags) __attribute__((alias("__open_2")));

EXPORT int __openat_2(int directory, const char *path, int flags)
{
	return file_open(directory, path, flags, 0);
}

EXPORT int __openat64_2(int directory, const char *path, int flags)
	__attribute__((alias("__openat_2")));

/* ---- stdio ----------------------------------------------------------------------------------- */

typedef FILE *fopen_call(const char *path, const char *mode);
typedef FILE *freopen_call(const char *path, const char *mode, FILE *file);
typedef FILE *fdopen_call(int fd, const char *mode);

PRELOAD_NEXT(fopen);
PRELOAD_NEXT(freopen);
PRELOAD_NEXT(fdopen);

/* What is read by stdio is read by the C library's own calls: so what has been stored through
 * mappings by now is written back before. NULL is allowed, and returned. */
static FILE *stdio_opened(FILE *file, const char *mode)
{
	struct stat st;
	int error = errno;
	if (file && *mode != 'w' && !file_none() && file_mapped(fileno(file), &st))
		file_settle(fileno(file), &st, 0, (uint64_t)st.st_size);
	errno = error;
	return file;
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
	struct cut cut = {.socket = -1};
	if (*mode == 'w')
		cut = cut_begin_path(AT_FDCWD, path, 0, 0);
	FILE *file = ((fopen_call *)NEXT(fopen))(path, mode);
	cut_end(&cut, file != NULL);
	return stdio_opened(file, mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

EXPORT FILE *freopen(const char *path, const char *mode, FILE *file)
{
	struct cut cut = {.socket = -1};
	if (*mode == 'w' && path)
		cut = cut_begin_path(AT_FDCWD, path, 0, 0);
	file = ((freopen_call *)NEXT(freopen))(path, mode, file);
	cut_end(&cut, file != NULL);
	return stdio_opened(file, mode);
}

EXPORT FILE *freopen64(const char *path, const char *mode, FILE *file)
	__attribute__((alias("freopen")));

EXPORT FILE *fdopen(int fd, const char *mode)
{
	return stdio_opened(((fdopen_call *)NEXT(fdopen))(fd, mode), mode);
}
