/* SPDX-License-Identifier: MIT */
/*
 * The calls by which a process becomes another program, which may read the files that the process
 * had mapped. Those that the C library makes by itself (posix_spawn, system, popen) are in children
 * that share their parent's memory, and nothing of it ends.
 */
#include <alloca.h>
#include <stdarg.h>
#include <unistd.h>

#include "preload.h"

typedef int exec_call(const char *path, char *const words[], char *const environment[]);
typedef int exec_fd_call(int fd, char *const words[], char *const environment[]);
typedef int exec_at_call(int fd, const char *path, char *const words[], char *const environment[],
			 int flags);

/* A child of vfork, or of fork, is no place for dlsym(3). */
PRELOAD_NEXT(execve);
PRELOAD_NEXT(execvpe);
PRELOAD_NEXT(fexecve);
PRELOAD_NEXT(execveat);

EXPORT int execve(const char *path, char *const words[], char *const environment[])
{
	preload_settle();
	return ((exec_call *)NEXT(execve))(path, words, environment);
}

EXPORT int execvpe(const char *file, char *const words[], char *const environment[])
{
	preload_settle();
	return ((exec_call *)NEXT(execvpe))(file, words, environment);
}

EXPORT int fexecve(int fd, char *const words[], char *const environment[])
{
	preload_settle();
	return ((exec_fd_call *)NEXT(fexecve))(fd, words, environment);
}

EXPORT int execveat(int fd, const char *path, char *const words[], char *const environment[],
		    int flags)
{
	preload_settle();
	return ((exec_at_call *)NEXT(execveat))(fd, path, words, environment, flags);
}

EXPORT int execv(const char *path, char *const words[])
{
	return execve(path, words, environ);
}

EXPORT int execvp(const char *file, char *const words[])
{
	return execvpe(file, words, environ);
}

/* The words, up to NULL, are arguments themselves; then, maybe, comes the environment. */
static int exec_list(exec_call *call, const char *file, const char *first, va_list arguments,
		     bool environment)
{
	va_list ahead;
	size_t count = 1;
	va_copy(ahead, arguments);
	while (va_arg(ahead, char *))
		count++;
	va_end(ahead);
	char **words = alloca((count + 1) * sizeof(*words));
	words[0] = (char *)first;
	for (size_t i = 1; i <= count; i++)
		words[i] = va_arg(arguments, char *);
	return call(file, words, environment ? va_arg(arguments, char *const *) : environ);
}

#define EXEC_LIST(name, call, environment)                                                         \
	EXPORT int name(const char *file, const char *first, ...)                                  \
	{                                                                                          \
		va_list arguments;                                                                 \
		va_start(arguments, first);                                                        \
		int result = exec_list(call, file, first, arguments, environment);                 \
		va_end(arguments);                                                                 \
		return result;                                                                     \
	}

EXEC_LIST(execl, execve, false)
EXEC_LIST(execle, execve, true)
EXEC_LIST(execlp, execvpe, false)
