// SPDX-License-Identifier: GPL-2.0-only
/*
 * OVID_SYNIC_PORT: ports that lead to a process.  Events go to an eventfd;
 * messages wait in a queue, which is read from a file.
 *
 * An event port lives until it is removed.  A message port lives as long as its
 * file, which holds the partition; when it is removed, the file says end of file
 * behind the last message.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include "partition.h"
#include "port.h"
#include "tlfs.h"
#include "vp.h"

/* ---- events ---- */

struct event_port {
	struct ovid_port port;
	struct eventfd_ctx *eventfd;
	struct rcu_head rcu;
};

static int event_signal(struct ovid_port *port, struct ovid_vp *vp, unsigned int flag)
{
	/* a port has one flag */
	if (flag)
		return HV_STATUS_INVALID_PARAMETER;
	eventfd_signal(container_of(port, struct event_port, port)->eventfd);
	return HV_STATUS_SUCCESS;
}

static void event_free(struct rcu_head *rcu)
{
	struct event_port *ep = container_of(rcu, struct event_port, rcu);

	eventfd_ctx_put(ep->eventfd);
	kfree(ep);
}

static void event_removed(struct ovid_port *port)
{
	call_rcu(&container_of(port, struct event_port, port)->rcu, event_free);
}

static const struct ovid_port_ops event_ops = {
	.signal = event_signal,
	.removed = event_removed,
};

static int event_port(struct ovid_partition *part, const struct ovid_synic_port *arg)
{
	struct event_port *ep;
	int err;

	if (arg->depth)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL_ACCOUNT);
	if (!ep)
		return -ENOMEM;
	ep->port.ops = &event_ops;
	ep->eventfd = eventfd_ctx_fdget(arg->fd);
	if (IS_ERR(ep->eventfd)) {
		err = PTR_ERR(ep->eventfd);
		kfree(ep);
		return err;
	}
	err = ovid_port_add(part, arg->connection, &ep->port);
	if (err)
		event_free(&ep->rcu);
	return err;
}

/* ---- messages ---- */

struct message_port {
	struct ovid_port port;
	struct ovid_partition *part;
	u32 connection;
	spinlock_t lock;	/* removed, first, count and the queue; any context */
	struct mutex reading;	/* one reader at a time: what is copied is what is taken */
	wait_queue_head_t wait;
	bool removed;
	u32 depth;
	u32 first;
	u32 count;
	struct rcu_head rcu;
	struct ovid_port_message queue[];	/* a ring, the oldest at @first */
};

static int message_post(struct ovid_port *port, struct ovid_vp *vp, const struct hv_message *msg)
{
	struct message_port *mp = container_of(port, struct message_port, port);
	struct ovid_port_message *m;

	scoped_guard(spinlock_irqsave, &mp->lock) {
		if (mp->count == mp->depth)
			return HV_STATUS_INSUFFICIENT_BUFFERS;
		m = &mp->queue[(mp->first + mp->count) % mp->depth];
		m->vp = vp->index;
		m->type = msg->header.message_type;
		m->bytes = msg->header.payload_size;
		memcpy(m->payload, msg->payload, sizeof(m->payload));
		mp->count++;
	}
	wake_up_interruptible_poll(&mp->wait, EPOLLIN | EPOLLRDNORM);
	return HV_STATUS_SUCCESS;
}

static void message_removed(struct ovid_port *port)
{
	struct message_port *mp = container_of(port, struct message_port, port);

	scoped_guard(spinlock_irqsave, &mp->lock)
		mp->removed = true;
	wake_up_interruptible_poll(&mp->wait, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

static const struct ovid_port_ops message_ops = {
	.post = message_post,
	.removed = message_removed,
};

/* the oldest message, which stays: 1; 0: there is none and there comes none; -EAGAIN */
static int message_peek(struct message_port *mp, struct ovid_port_message *msg)
{
	guard(spinlock_irqsave)(&mp->lock);
	if (!mp->count)
		return mp->removed ? 0 : -EAGAIN;
	*msg = mp->queue[mp->first];
	return 1;
}

static void message_drop(struct message_port *mp)
{
	guard(spinlock_irqsave)(&mp->lock);
	mp->first = (mp->first + 1) % mp->depth;
	mp->count--;
}

/* whole messages only; what cannot be copied stays in the queue */
static ssize_t read_queue(struct message_port *mp, char __user *buf, size_t len)
{
	struct ovid_port_message msg;
	size_t done;
	int ret;

	guard(mutex)(&mp->reading);
	for (done = 0; len - done >= sizeof(msg); done += sizeof(msg)) {
		ret = message_peek(mp, &msg);
		if (ret <= 0)
			return done ? done : ret;
		if (copy_to_user(buf + done, &msg, sizeof(msg)))
			return done ? done : -EFAULT;
		message_drop(mp);
	}
	return done;
}

static bool readable(struct message_port *mp)
{
	guard(spinlock_irqsave)(&mp->lock);
	return mp->count || mp->removed;
}

static ssize_t message_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct message_port *mp = file->private_data;
	ssize_t ret;

	if (len < sizeof(struct ovid_port_message))
		return -EINVAL;
	for (;;) {
		ret = read_queue(mp, buf, len);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		if (wait_event_interruptible(mp->wait, readable(mp)))
			return -ERESTARTSYS;
	}
}

static __poll_t message_poll(struct file *file, poll_table *wait)
{
	struct message_port *mp = file->private_data;

	poll_wait(file, &mp->wait, wait);
	guard(spinlock_irqsave)(&mp->lock);
	return (mp->count ? EPOLLIN | EPOLLRDNORM : 0) | (mp->removed ? EPOLLHUP : 0);
}

static void message_free(struct rcu_head *rcu)
{
	kvfree(container_of(rcu, struct message_port, rcu));
}

static int message_release(struct inode *inode, struct file *file)
{
	struct message_port *mp = file->private_data;
	struct ovid_partition *part = mp->part;

	ovid_port_remove(part, mp->connection, &mp->port);
	call_rcu(&mp->rcu, message_free);
	ovid_part_put(part);
	return 0;
}

static const struct file_operations message_fops = {
	.owner = THIS_MODULE,
	.read = message_read,
	.poll = message_poll,
	.release = message_release,
	.llseek = noop_llseek,
};

static struct message_port *message_port_new(struct ovid_partition *part,
					     const struct ovid_synic_port *arg)
{
	struct message_port *mp;

	mp = kvzalloc(struct_size(mp, queue, arg->depth), GFP_KERNEL_ACCOUNT);
	if (!mp)
		return NULL;
	mp->port.ops = &message_ops;
	mp->part = part;
	mp->connection = arg->connection;
	mp->depth = arg->depth;
	spin_lock_init(&mp->lock);
	mutex_init(&mp->reading);
	init_waitqueue_head(&mp->wait);
	return mp;
}

static int message_port(struct ovid_partition *part, const struct ovid_synic_port *arg)
{
	struct message_port *mp;
	struct file *file;
	int fd, err;

	if (arg->fd || !arg->depth || arg->depth > OVID_MAX_PORT_DEPTH)
		return -EINVAL;
	mp = message_port_new(part, arg);
	if (!mp)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		kvfree(mp);
		return fd;
	}
	file = anon_inode_getfile("[ovid-port]", &message_fops, mp, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		kvfree(mp);
		return PTR_ERR(file);
	}
	ovid_part_get(part);
	/* from here on it is the file's */
	err = ovid_port_add(part, arg->connection, &mp->port);
	if (err) {
		put_unused_fd(fd);
		fput(file);
		return err;
	}
	fd_install(fd, file);
	return fd;
}

/* ---- both ---- */

/* a port of the kernel's own is not a process's to remove */
static int user_remove(struct ovid_partition *part, u32 connection)
{
	struct ovid_port *port;

	guard(rcu)();
	port = xa_load(&part->ports.by_connection, connection);
	if (!port || (port->ops != &event_ops && port->ops != &message_ops))
		return -ENOENT;
	return ovid_port_remove(part, connection, port) ? 0 : -ENOENT;
}

int ovid_synic_port(struct ovid_partition *part, const struct ovid_synic_port *arg)
{
	if (arg->flags)
		return -EINVAL;
	switch (arg->kind) {
	case OVID_PORT_NONE:
		return arg->fd || arg->depth ? -EINVAL : user_remove(part, arg->connection);
	case OVID_PORT_EVENT:
		return event_port(part, arg);
	case OVID_PORT_MESSAGE:
		return message_port(part, arg);
	default:
		return -EINVAL;
	}
}
