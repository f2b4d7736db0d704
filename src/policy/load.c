/* SPDX-License-Identifier: MIT */
/* Policies of the user's own: shared objects. */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy/policies.h"

static bool name_usable(const char *name)
{
	return name && *name &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

/* What is missing, or NULL. Of another version nothing but the version can be read. */
static const char *ops_missing(const struct pagerd_policy_ops *ops)
{
	if (!name_usable(ops->name))
		return "a name of lower-case letters, digits, '-' and '_'";
	if (!ops->summary)
		return "a summary";
	if (!ops->create || !ops->destroy)
		return "create and destroy";
	if (!ops->page_in || !ops->page_out || !ops->forget)
		return "page_in, page_out and forget";
	if (!ops->referenced)
		return "referenced";
	if (!ops->victims || !ops->keep || !ops->restore)
		return "victims, keep and restore";
	return ops->held ? NULL : "held";
}

static int ops_check(const struct pagerd_policy_ops *ops, const char *path, char *why,
		     size_t why_bytes)
{
	if (ops->version != PAGERD_POLICY_VERSION) {
		snprintf(why, why_bytes, "%s: made for version %u of the interface, not %u", path,
			 ops->version, PAGERD_POLICY_VERSION);
		return -EINVAL;
	}
	const char *missing = ops_missing(ops);
	if (!missing)
		return 0;
	snprintf(why, why_bytes, "%s: its pagerd_policy has not got %s", path, missing);
	return -EINVAL;
}

int pagerd_policy_load(const char *path, char *why, size_t why_bytes)
{
	/* Without a slash dlopen would look for it where the system's libraries are. */
	char here[4096];
	snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./", path);
	/* Never closed: its code is in use for good. */
	void *object = dlopen(here, RTLD_NOW | RTLD_LOCAL);
	if (!object) {
		snprintf(why, why_bytes, "%s", dlerror());
		return -EINVAL;
	}
	const struct pagerd_policy_ops *ops = dlsym(object, "pagerd_policy");
	int error = -EINVAL;
	if (!ops)
		snprintf(why, why_bytes, "%s: it has no symbol 'pagerd_policy'", path);
	else
		error = ops_check(ops, path, why, why_bytes);
	if (!error && (error = policy_register(ops)) == -EEXIST)
		snprintf(why, why_bytes, "%s: there is a policy '%s' already", path, ops->name);
	else if (error == -ENOSPC)
		snprintf(why, why_bytes, "%s: there are too many policies", path);
	if (error)
		dlclose(object);
	return error;
}
