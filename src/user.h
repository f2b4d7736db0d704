/* SPDX-License-Identifier: MIT */
/*
 * Users: what each has of the daemon's descriptors, in objects.
 *
 * A mapping, however small, is a memfd. So that nobody takes all numbers, a user's objects may have
 * a part of them: not so root's, and those of the user whose daemon it is. The pager's thread only.
 */
#ifndef PAGERD_USER_H
#define PAGERD_USER_H

#include <stdint.h>

#define USER_HASH 256u

struct object;
struct pager;
struct user;

struct users {
	uint32_t most;	/* descriptors of one of them; 0: as many as there are */
	uint32_t owner; /* the user whose daemon it is */
	struct user *hash[USER_HASH];
};

void users_init(struct users *users, uint32_t most);
/* The object belongs to the user uid from now on, to nobody else. 0, -EUSERS (he has too many),
 * -ENOMEM: then it does not. */
int user_take(struct pager *pager, struct object *object, uint32_t uid);
/* It belongs to nobody any more. */
void user_give_up(struct pager *pager, struct object *object);

#endif
