/* SPDX-License-Identifier: MIT */
/*
 * The calls by which a process becomes another program, which may read the files that the process
 * had mapped. Those that the C library makes by itself (posix_spawn, system, popen) are in children
 * that share their parent's memory, and nothing of it ends.
 */
#include <alloca.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <unistd.h>

#include "preload.h"

typedef int exec_call(const char *path, char *const words[], char *const environment[]);
typedef int exec_fd_call(int fd, char *const words[], char *const environment[]);
typedef int exec_at_call(int fd, const char *path, char *const words[], char *const environment[],
			 int flags);

static struct next {
	exec_call *execve;
	exec_call *execvpe;
	exec_fd_call *fexecve;
	exec_at_call *execveat;
} next;

/* Not first in a child of vfork, or of fork: that is no place for dlsym(3). */
__attribute__((constructor)) static void exec_find(void)
{
	next.execve = (exec_call *)dlsym(RTLD_NEXT, "execve");
	next.execvpe = (exec_call *)dlsym(RTLD_NEXT, "execvpe");
	next.fexecve = (exec_fd_call *)dlsym(RTLD_NEXT, "fexecve");
	next.execveat = (exec_at_call *)dlsym(RTLD_NEXT, "execveat");
}

/* Constructors of other libraries may come before ours. */
static const struct next *exec_next(void)
{
	if (!next.execve)
		exec_find();
	preload_settle();
	return &next;
}

EXPORT int execve(const char *path, char *const words[], char *const environment[])
{
	return exec_next()->execve(path, words, environment);
}

EXPORT int execvpe(const char *file, char *const words[], char *const environment[])
{
	return exec_next()->execvpe(file, words, environment);
}

EXPORT int fexecve(int fd, char *const words[], char *const environment[])
{
	return exec_next()->fexecve(fd, words, environment);
}

EXPORT int execveat(int fd, const char *path, char *const words[], char *const environment[],
		    int flags)
{
	return exec_next()->execveat(fd, path, words, environment, flags);
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
