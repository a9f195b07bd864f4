// SPDX-License-Identifier: GPL-2.0-only
/*
 * OVID_VMBUS_SOCKETS, and the file C that it gives: the guest's wishes to connect are read from
 * it, and refused by it.  The channel of one that is accepted (OVID_VMBUS_OFFER) has a file of
 * its own.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include "../vmm/arg.h"
#include "server.h"

/**
 * struct sockets_file
 * @sockets:	the bus's
 * @reading:	one reader at a time: what is copied is what is taken; above vmbus->lock
 * @wait:	readers
 */
struct sockets_file {
	struct ovid_sockets *sockets;
	struct mutex reading;	/* see above */
	wait_queue_head_t wait;
};

/* what cannot be copied stays; no lock of the bus is held over it */
static ssize_t take(struct sockets_file *s, char __user *buf)
{
	struct ovid_socket_connect c;
	int err;

	guard(mutex)(&s->reading);
	err = ovid_sockets_peek(s->sockets, &c);
	if (err)
		return err;
	if (copy_to_user(buf, &c, sizeof(c)))
		return -EFAULT;
	ovid_sockets_mark(s->sockets, c.id);
	return sizeof(c);
}

static ssize_t sockets_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct sockets_file *s = file->private_data;
	ssize_t ret;

	if (len < sizeof(struct ovid_socket_connect))
		return -EINVAL;
	do {
		ret = take(s, buf);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(s->wait, ovid_sockets_pending(s->sockets));
	} while (!ret);
	return ret;
}

static __poll_t sockets_poll(struct file *file, poll_table *wait)
{
	struct sockets_file *s = file->private_data;

	poll_wait(file, &s->wait, wait);
	return ovid_sockets_pending(s->sockets) ? EPOLLIN | EPOLLRDNORM : 0;
}

static long reply(struct sockets_file *s, const struct ovid_socket_reply *arg)
{
	if (arg->flags || arg->pad || arg->refuse > MAX_ERRNO)
		return -EINVAL;
	return ovid_sockets_reply(s->sockets, arg->id, -(int)arg->refuse);
}

static long sockets_ioctl(struct file *file, unsigned int cmd, unsigned long p)
{
	struct ovid_socket_reply arg;
	int err;

	if (cmd != OVID_SOCKET_REPLY)
		return -ENOTTY;
	err = ovid_arg_in(&arg, (void __user *)p, sizeof(arg));
	return err ?: reply(file->private_data, &arg);
}

static int sockets_release(struct inode *inode, struct file *file)
{
	struct sockets_file *s = file->private_data;

	ovid_sockets_give_back(s->sockets);
	mutex_destroy(&s->reading);
	kfree(s);
	return 0;
}

static const struct file_operations sockets_fops = {
	.owner = THIS_MODULE,
	.read = sockets_read,
	.poll = sockets_poll,
	.unlocked_ioctl = sockets_ioctl,
	.release = sockets_release,
	.llseek = noop_llseek,
};

/* ---- OVID_VMBUS_SOCKETS ---- */

static void wake_readers(void *priv)
{
	struct sockets_file *s = priv;

	wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
}

static struct sockets_file *new_sockets(struct ovid_vmbus *vmbus)
{
	struct sockets_file *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	struct ovid_sockets *sockets;

	if (!s)
		return ERR_PTR(-ENOMEM);
	mutex_init(&s->reading);
	init_waitqueue_head(&s->wait);
	sockets = ovid_sockets_new(vmbus, wake_readers, s);
	if (IS_ERR(sockets)) {
		kfree(s);
		return ERR_CAST(sockets);
	}
	s->sockets = sockets;
	return s;
}

static struct file *new_file(struct ovid_vmbus *vmbus)
{
	struct sockets_file *s = new_sockets(vmbus);
	struct file *file;

	if (IS_ERR(s))
		return ERR_CAST(s);
	file = anon_inode_getfile("[ovid-sockets]", &sockets_fops, s, O_RDWR);
	if (IS_ERR(file)) {
		ovid_sockets_give_back(s->sockets);
		kfree(s);
	}
	return file;
}

long ovid_vmbus_sockets(struct ovid_partition *part)
{
	struct ovid_vmbus *vmbus = ovid_bus_of(part);
	struct file *file;
	int fd;

	if (!vmbus)
		return -ENXIO;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = new_file(vmbus);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
