// SPDX-License-Identifier: GPL-2.0-only
/*
 * OVID_VMBUS_SOCKETS, and the file C that it gives: the guest's wishes to connect to
 * a service of the host's are read from it, and refused by it.  One that is accepted gets a
 * channel (OVID_VMBUS_OFFER), which has a file of its own.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include "../vmm/arg.h"
#include "server.h"

/**
 * struct ovid_sockets - @vmbus->lock, but for @reading and @wait
 * @vmbus:	the file holds its partition
 * @reading:	one reader at a time: what is copied is what is taken; above vmbus->lock
 * @wait:	readers
 * @last_id:	of the connect that came last
 * @nr:		in @connects: have no reply yet
 * @nr_read:	of them; the others, behind these, were not read yet
 * @connects:	the oldest first
 */
struct ovid_sockets {
	struct ovid_vmbus *vmbus;
	struct mutex reading;	/* see above */
	wait_queue_head_t wait;
	u64 last_id;
	unsigned int nr;
	unsigned int nr_read;
	struct ovid_socket_connect connects[OVID_MAX_CONNECTS];
};

/* ---- what the bus has for it ---- */

int ovid_sockets_connect(struct ovid_vmbus *vmbus, const struct vmbus_w_tl_connect2 *want)
{
	struct ovid_sockets *s = vmbus->sockets;
	struct ovid_socket_connect *c;

	lockdep_assert_held(&vmbus->lock);
	if (!s)
		return -ECONNREFUSED;
	if (s->nr == OVID_MAX_CONNECTS)
		return -ENOSPC;
	c = &s->connects[s->nr];
	c->id = ++s->last_id;
	memcpy(c->endpoint, &want->c.endpoint, sizeof(c->endpoint));
	memcpy(c->service, &want->c.service, sizeof(c->service));
	memcpy(c->silo, &want->silo, sizeof(c->silo));
	WRITE_ONCE(s->nr, s->nr + 1);
	wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
	return 0;
}

void ovid_sockets_forget(struct ovid_vmbus *vmbus)
{
	struct ovid_sockets *s = vmbus->sockets;

	lockdep_assert_held(&vmbus->lock);
	if (!s)
		return;
	WRITE_ONCE(s->nr_read, 0);
	WRITE_ONCE(s->nr, 0);
}

/* ---- the file ---- */

static bool has_unread(const struct ovid_sockets *s)
{
	return READ_ONCE(s->nr) != READ_ONCE(s->nr_read);
}

/* the oldest that was not read: 0 or -EAGAIN */
static int peek(struct ovid_sockets *s, struct ovid_socket_connect *c)
{
	guard(mutex)(&s->vmbus->lock);
	if (!has_unread(s))
		return -EAGAIN;
	*c = s->connects[s->nr_read];
	return 0;
}

/* if it was not forgotten meanwhile */
static void mark_read(struct ovid_sockets *s, u64 id)
{
	guard(mutex)(&s->vmbus->lock);
	if (has_unread(s) && s->connects[s->nr_read].id == id)
		WRITE_ONCE(s->nr_read, s->nr_read + 1);
}

/* what cannot be copied stays; no lock of the bus is held over it */
static ssize_t take(struct ovid_sockets *s, char __user *buf)
{
	struct ovid_socket_connect c;
	int err;

	guard(mutex)(&s->reading);
	err = peek(s, &c);
	if (err)
		return err;
	if (copy_to_user(buf, &c, sizeof(c)))
		return -EFAULT;
	mark_read(s, c.id);
	return sizeof(c);
}

static ssize_t sockets_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct ovid_sockets *s = file->private_data;
	ssize_t ret;

	if (len < sizeof(struct ovid_socket_connect))
		return -EINVAL;
	do {
		ret = take(s, buf);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(s->wait, has_unread(s));
	} while (!ret);
	return ret;
}

static __poll_t sockets_poll(struct file *file, poll_table *wait)
{
	struct ovid_sockets *s = file->private_data;

	poll_wait(file, &s->wait, wait);
	return has_unread(s) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void refuse(struct ovid_sockets *s, const struct ovid_socket_connect *c, int err)
{
	struct vmbus_w_guid endpoint, service;

	memcpy(&endpoint, c->endpoint, sizeof(endpoint));
	memcpy(&service, c->service, sizeof(service));
	ovid_bus_tl_refuse(&s->vmbus->bus, &endpoint, &service, err);
}

/* one that was read leaves the list: true; false: it is not there */
static bool remove(struct ovid_sockets *s, u64 id, struct ovid_socket_connect *c)
{
	unsigned int i = 0;

	while (i < s->nr_read && s->connects[i].id != id)
		i++;
	if (i == s->nr_read)
		return false;
	*c = s->connects[i];
	memmove(&s->connects[i], &s->connects[i + 1], (s->nr - i - 1) * sizeof(*c));
	WRITE_ONCE(s->nr_read, s->nr_read - 1);
	WRITE_ONCE(s->nr, s->nr - 1);
	return true;
}

static long reply(struct ovid_sockets *s, const struct ovid_socket_reply *arg)
{
	struct ovid_socket_connect c;

	if (arg->flags || arg->pad || arg->refuse > MAX_ERRNO)
		return -EINVAL;
	guard(mutex)(&s->vmbus->lock);
	if (!remove(s, arg->id, &c))
		return -ESTALE;
	if (arg->refuse)
		refuse(s, &c, -(int)arg->refuse);
	return 0;
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
	struct ovid_sockets *s = file->private_data;
	struct ovid_vmbus *vmbus = s->vmbus;
	unsigned int i;

	scoped_guard(mutex, &vmbus->lock) {
		for (i = 0; i < s->nr; i++)
			refuse(s, &s->connects[i], -ECONNREFUSED);
		vmbus->sockets = NULL;
	}
	mutex_destroy(&s->reading);
	kvfree(s);
	ovid_bus_part_put(vmbus->part);
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

static struct ovid_sockets *new_sockets(struct ovid_vmbus *vmbus)
{
	struct ovid_sockets *s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	s->vmbus = vmbus;
	mutex_init(&s->reading);
	init_waitqueue_head(&s->wait);
	return s;
}

/* of the bus: at most one */
static struct file *new_file(struct ovid_vmbus *vmbus)
{
	struct ovid_sockets *s = new_sockets(vmbus);
	struct file *file;

	if (!s)
		return ERR_PTR(-ENOMEM);
	guard(mutex)(&vmbus->lock);
	if (vmbus->sockets) {
		kvfree(s);
		return ERR_PTR(-EEXIST);
	}
	file = anon_inode_getfile("[ovid-sockets]", &sockets_fops, s, O_RDWR);
	if (IS_ERR(file)) {
		kvfree(s);
		return file;
	}
	ovid_bus_part_get(vmbus->part);
	vmbus->sockets = s;
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
