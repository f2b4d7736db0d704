/* SPDX-License-Identifier: MIT */
/* The policies that are linked in: each is one file. */
#ifndef PAGERD_POLICY_POLICIES_H
#define PAGERD_POLICY_POLICIES_H

#include "pagerd/policy.h"

extern const struct pagerd_policy_ops pagerd_policy_fifo;
extern const struct pagerd_policy_ops pagerd_policy_random;
extern const struct pagerd_policy_ops pagerd_policy_lru;
extern const struct pagerd_policy_ops pagerd_policy_mru;
extern const struct pagerd_policy_ops pagerd_policy_clock;
extern const struct pagerd_policy_ops pagerd_policy_lfu;
extern const struct pagerd_policy_ops pagerd_policy_2q;
extern const struct pagerd_policy_ops pagerd_policy_arc;
extern const struct pagerd_policy_ops pagerd_policy_car;
extern const struct pagerd_policy_ops pagerd_policy_lirs;
extern const struct pagerd_policy_ops pagerd_policy_clock_pro;
extern const struct pagerd_policy_ops pagerd_policy_sieve;
extern const struct pagerd_policy_ops pagerd_policy_s3fifo;
extern const struct pagerd_policy_ops pagerd_policy_w_tinylfu;
extern const struct pagerd_policy_ops pagerd_policy_auto;
extern const struct pagerd_policy_ops pagerd_policy_min;

/* Add a policy to pagerd_policies. 0, -EEXIST (the name is taken), -ENOSPC. */
int policy_register(const struct pagerd_policy_ops *ops);

#endif
