/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl entry points of the three kinds of file.
 */
#ifndef OVID_IOCTL_H
#define OVID_IOCTL_H

struct file;

long ovid_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long ovid_part_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
long ovid_vp_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
