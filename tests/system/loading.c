/* SPDX-License-Identifier: MIT */
/* The first stream and thread of a process, while a library is loaded, and after that has failed.
 */
#include <dlfcn.h>
#include <stdio.h>

int main(void)
{
	if (dlopen("/dev/null/library.so", RTLD_NOW)) {
		puts("loaded what there is not");
		return 1;
	}
	FILE *stream = fopen("/dev/null", "r");
	const char *why = dlerror();
	if (!stream || !why) {
		puts("it is not said why it was not loaded");
		return 2;
	}
	if (!dlopen("libloading.so", RTLD_NOW)) {
		puts(dlerror());
		return 3;
	}
	puts("loaded");
	return 0;
}
