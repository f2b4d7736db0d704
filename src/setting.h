/* SPDX-License-Identifier: MIT */
/*
 * Settings: limit and policy of the daemon, of a client, of an object.
 *
 * Of an object, only its maker's user may set something, as long as no other user maps it; root may
 * set everything. What a user has set ends when another user comes to map the object.
 */
#ifndef PAGERD_SETTING_H
#define PAGERD_SETTING_H

struct pager;
struct pager_request;

/* PAGER_SET and PAGER_SET_OBJECT (whose fd it closes). 0 or -errno with a sentence in request->why
 * if there is more to say. On failure nothing has changed. */
int setting_apply(struct pager *pager, struct pager_request *request);

#endif
