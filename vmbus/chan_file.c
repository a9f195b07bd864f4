// SPDX-License-Identifier: GPL-2.0-only
/*
 * OVID_VMBUS_OFFER, and the file H that it gives: it holds the channel and the
 * partition; when it is closed, the offer is taken back.
 */
#include <linux/anon_inodes.h>
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/string.h>
#include "../uapi/ovid_net.h"
#include "../vmm/arg.h"
#include "server.h"

/* waits behind an attempt that had nothing: 0: try again, or what to return in its place */
static int wait_again(struct ovid_chan *chan, struct file *file, int wakes)
{
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(chan->wait, atomic_read(&chan->wakes) != wakes);
}

static ssize_t chan_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct ovid_chan *chan = file->private_data;
	ssize_t ret;
	int wakes;

	if (!chan->ops->read)
		return -EINVAL;
	do {
		wakes = atomic_read_acquire(&chan->wakes);
		ret = chan->ops->read(chan, file, buf, len);
		if (ret != -EAGAIN)
			return ret;
		ret = wait_again(chan, file, wakes);
	} while (!ret);
	return ret;
}

static ssize_t chan_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct ovid_chan *chan = file->private_data;
	ssize_t ret;
	int wakes;

	if (!chan->ops->write)
		return -EINVAL;
	do {
		wakes = atomic_read_acquire(&chan->wakes);
		ret = chan->ops->write(chan, file, buf, len);
		if (ret != -EAGAIN)
			return ret;
		ret = wait_again(chan, file, wakes);
	} while (!ret);
	return ret;
}

static __poll_t chan_poll(struct file *file, poll_table *wait)
{
	struct ovid_chan *chan = file->private_data;

	return chan->ops->poll ? chan->ops->poll(chan, file, wait) : 0;
}

static void get_info(struct ovid_chan *chan, struct ovid_channel_info *info)
{
	struct ovid_vmbus *vmbus = chan->vmbus;

	guard(mutex)(&vmbus->lock);
	info->version = vmbus->bus.version;
	info->relid = chan->bc.relid;
	info->state = ovid_chan_state(chan);
	info->target_vp = chan->bc.state == OVID_CHAN_CLOSED ? 0 : chan->bc.target_vp;
}

union chan_arg {
	struct ovid_arg_head head;
	struct ovid_channel_info info;
	struct ovid_channel_reply reply;
	struct ovid_channel_eventfd eventfd;
	struct ovid_disk disk;
	struct ovid_disk_size disk_size;
	struct ovid_disk_info disk_info;
	struct ovid_disk_limit disk_limit;
	struct ovid_disk_medium disk_medium;
	struct ovid_net net;
	struct ovid_net_end net_end;
	struct ovid_net_link net_link;
	struct ovid_net_info net_info;
};

/* calls that have an argument */
static int get_arg(union chan_arg *arg, unsigned int cmd, void __user *user)
{
	int err;

	switch (cmd) {
	case OVID_CHANNEL_INFO:
	case OVID_CHANNEL_REPLY:
	case OVID_CHANNEL_EVENTFD:
		err = ovid_arg_in(arg, user, _IOC_SIZE(cmd));
		return err ?: arg->head.flags ? -EINVAL : 0;
	case OVID_DISK_ATTACH:
	case OVID_DISK_DETACH:
	case OVID_DISK_RESIZE:
	case OVID_DISK_INFO:
	case OVID_DISK_LIMIT:
	case OVID_DISK_MEDIUM:
	case OVID_NET_SETUP:
	case OVID_NET_END:
	case OVID_NET_LINK:
	case OVID_NET_INFO:
		return ovid_arg_in(arg, user, _IOC_SIZE(cmd));
	default:
		return 0;
	}
}

/* the provider's calls; what they have to say goes out as it came in */
static long provider_ioctl(struct ovid_chan *chan, unsigned int cmd, union chan_arg *arg,
			   void __user *user)
{
	long ret = chan->ops->ioctl ? chan->ops->ioctl(chan, cmd, arg) : -ENOTTY;

	return ret || !(_IOC_DIR(cmd) & _IOC_READ) ? ret : ovid_arg_out(arg, user);
}

static long chan_ioctl(struct file *file, unsigned int cmd, unsigned long p)
{
	struct ovid_chan *chan = file->private_data;
	void __user *user = (void __user *)p;
	union chan_arg arg;
	long ret;

	ret = get_arg(&arg, cmd, user);
	if (ret)
		return ret;
	if (cmd == OVID_CHANNEL_INFO) {
		get_info(chan, &arg.info);
		return ovid_arg_out(&arg, user);
	}
	if (cmd == OVID_GET_STATS_FD)
		return ovid_chan_stats_fd(chan);
	return provider_ioctl(chan, cmd, &arg, user);
}

static int chan_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ovid_chan *chan = file->private_data;

	return chan->ops == &ovid_user_ops ? ovid_user_mmap(chan, vma) : -ENODEV;
}

static int chan_file_release(struct inode *inode, struct file *file)
{
	struct ovid_chan *chan = file->private_data;

	if (chan)	/* else it was never offered */
		ovid_chan_revoke(chan);
	return 0;
}

static const struct file_operations chan_fops = {
	.owner = THIS_MODULE,
	.read = chan_read,
	.write = chan_write,
	.poll = chan_poll,
	.unlocked_ioctl = chan_ioctl,
	.mmap = chan_mmap,
	.release = chan_file_release,
	.llseek = noop_llseek,
};

static const struct ovid_chan_ops *find_provider(const u8 *name)
{
	const struct ovid_chan_ops *const *ops;

	if (!*name)
		return &ovid_user_ops;
	for (ops = ovid_providers; *ops; ops++)
		if (!strcmp((*ops)->name, name))
			return *ops;
	return NULL;
}

/* the file is not anyone's yet, so the offer comes before the fd is seen */
static int install(struct ovid_chan *chan, const struct ovid_vmbus_offer *arg)
{
	struct file *file;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	/* an inode of its own: its mappings can be taken away */
	file = anon_inode_create_getfile("[ovid-channel]", &chan_fops, chan, O_RDWR, NULL);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	chan->mapping = file->f_mapping;
	err = ovid_chan_offer(chan, arg);
	if (err) {
		file->private_data = NULL;
		put_unused_fd(fd);
		fput(file);
		return err;
	}
	fd_install(fd, file);
	return fd;
}

long ovid_vmbus_offer(struct ovid_partition *part, const struct ovid_vmbus_offer *arg)
{
	struct ovid_vmbus *vmbus = ovid_bus_of(part);
	const struct ovid_chan_ops *ops;
	struct ovid_chan *chan;
	int fd;

	if (!vmbus)
		return -ENXIO;
	if (arg->latency && arg->latency < OVID_VMBUS_LATENCY_MIN)
		return -EINVAL;
	if (strnlen(arg->provider, sizeof(arg->provider)) == sizeof(arg->provider))
		return -EINVAL;
	ops = find_provider(arg->provider);
	if (!ops)
		return -ENOENT;
	chan = ovid_chan_new(vmbus, ops, NULL);
	if (IS_ERR(chan))
		return PTR_ERR(chan);
	fd = install(chan, arg);
	ovid_chan_put(chan);
	return fd;
}
