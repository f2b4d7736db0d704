/* SPDX-License-Identifier: MIT */
/*
 * dlopen: a library that is loaded with RTLD_DEEPBIND (php loads its extensions so) would find the
 * C library before all that is preloaded. It would free with one allocator what it has from
 * another, and its memory calls and its fork would not be seen. So nothing is bound deeply, as
 * under the sanitizers.
 */
#include <dlfcn.h>

#include "preload.h"

typedef void *dlopen_call(const char *path, int mode);

PRELOAD_NEXT(dlopen);

/* The C library looks for path where its caller's RUNPATH says, and takes for its caller whoever
 * it returns to. So this has to be a jump, which compilers make of it when they optimize, or are
 * told to. */
#ifdef __clang__
#define JUMP __attribute__((musttail)) return
#define JUMPS
#else
#define JUMP  return
#define JUMPS __attribute__((optimize("O2")))
#endif
EXPORT JUMPS void *dlopen(const char *path, int mode)
{
	dlopen_call *call = (dlopen_call *)NEXT(dlopen);
	JUMP call(path, preload_paging() ? mode & ~RTLD_DEEPBIND : mode);
}
