/* SPDX-License-Identifier: MIT */
#include "user.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"

/* The memfd and the board's; the file's, and those of when it could only be read. */
#define FILE_DESCRIPTORS 6u

struct user {
	uint32_t uid;
	uint32_t descriptors;
	struct user *next;
};

void users_init(struct users *users, uint32_t most)
{
	users->most = most;
	users->owner = geteuid();
}

/* The most that it may come to have. */
static uint32_t descriptors_of(const struct object *object)
{
	return object_is_file(object) ? FILE_DESCRIPTORS : 1;
}

static struct user **user_find(struct users *users, uint32_t uid)
{
	struct user **link = &users->hash[uid % USER_HASH];
	while (*link && (*link)->uid != uid)
		link = &(*link)->next;
	return link;
}

/* One that has nothing is not kept. */
static int user_count(struct users *users, uint32_t uid, uint32_t descriptors)
{
	struct user **link = user_find(users, uid), *user = *link;
	if (descriptors > users->most || (user && user->descriptors > users->most - descriptors))
		return -EUSERS;
	if (!user) {
		user = calloc(1, sizeof *user);
		if (!user)
			return -ENOMEM;
		user->uid = uid;
		*link = user;
	}
	user->descriptors += descriptors;
	return 0;
}

int user_take(struct pager *pager, struct object *object, uint32_t uid)
{
	struct users *users = &pager->users;
	bool counted = users->most && uid && uid != users->owner;
	if (object->counted && object->uid == uid)
		return 0;
	int error = counted ? user_count(users, uid, descriptors_of(object)) : 0;
	if (error)
		return error;
	user_give_up(pager, object);
	object->uid = uid;
	object->counted = counted;
	return 0;
}

void user_give_up(struct pager *pager, struct object *object)
{
	if (!object->counted)
		return;
	struct user **link = user_find(&pager->users, object->uid), *user = *link;
	user->descriptors -= descriptors_of(object);
	object->counted = false;
	if (user->descriptors)
		return;
	*link = user->next;
	free(user);
}
