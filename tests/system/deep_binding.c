/* SPDX-License-Identifier: MIT */
/* Frees its own memory in a library that it has loaded with RTLD_DEEPBIND, by way of its RUNPATH.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	void *library = dlopen("libdeep_binding.so", RTLD_NOW | RTLD_DEEPBIND);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	void (*release)(void *) = (void (*)(void *))dlsym(library, "release");
	void *memory = malloc(5000);
	if (!release || !memory)
		return 2;
	release(memory);
	puts("released");
	return 0;
}
