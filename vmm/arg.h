/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arguments of our own ioctls: structs that begin with their size and flags.
 */
#ifndef OVID_ARG_H
#define OVID_ARG_H

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "types.h"

struct ovid_arg_head {
	u32 size;
	u32 flags;
};

/*
 * Copies one in; what an older caller did not send is zero.  0, -EFAULT, -EINVAL (less than the
 * head), -E2BIG (more than we know of that is not zero).
 */
static inline int ovid_arg_in(void *arg, void __user *user, size_t ksize)
{
	struct ovid_arg_head *head = arg;
	u32 usize;
	int err;

	if (get_user(usize, (u32 __user *)user))
		return -EFAULT;
	if (usize < sizeof(*head))
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, ksize, user, usize);
	if (err)
		return err;
	/* the copy of the size is ours from here on */
	head->size = min_t(u32, usize, ksize);
	return 0;
}

/* copies it back: 0 or -EFAULT */
static inline int ovid_arg_out(const void *arg, void __user *user)
{
	const struct ovid_arg_head *head = arg;

	return copy_to_user(user, arg, head->size) ? -EFAULT : 0;
}

#endif
