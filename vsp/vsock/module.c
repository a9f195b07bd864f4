// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload, and the device: a VM has its CID as long as the file is open that has bound it.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/vm_sockets.h>
#include "../../vmm/arg.h"
#include "vsock.h"

struct workqueue_struct *ovid_vsock_queue;

/* a file is bound once: its private_data is the VM, or NULL */
static DEFINE_MUTEX(bind_lock);

static int dev_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
	return 0;
}

static long bind(struct file *file, const struct ovid_vsock_bind *arg)
{
	struct vsock_vm *vm;

	if (arg->flags || arg->cid <= VMADDR_CID_HOST || arg->cid == VMADDR_CID_ANY)
		return -EINVAL;
	guard(mutex)(&bind_lock);
	if (file->private_data)
		return -EBUSY;
	vm = ovid_vsock_vm_bind(arg->partition, arg->cid);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	file->private_data = vm;
	return 0;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct ovid_vsock_bind arg;
	int err;

	if (cmd != OVID_VSOCK_BIND)
		return -ENOTTY;
	err = ovid_arg_in(&arg, (void __user *)user, sizeof(arg));
	return err ?: bind(file, &arg);
}

static int dev_release(struct inode *inode, struct file *file)
{
	if (file->private_data)
		ovid_vsock_vm_unbind(file->private_data);
	return 0;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.unlocked_ioctl = dev_ioctl,
	.release = dev_release,
	.llseek = noop_llseek,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ovid-vsock",
	.fops = &dev_fops,
	.mode = 0660,
};

static int __init vsock_init(void)
{
	int err;

	ovid_vsock_queue = alloc_workqueue("ovid-vsock", WQ_UNBOUND, 0);
	if (!ovid_vsock_queue)
		return -ENOMEM;
	err = ovid_vsock_register();
	if (err == -EBUSY)
		pr_err("ovid_vsock: another module has the host's sockets to guests: unload it first (vhost_vsock?)\n");
	if (err)
		goto queue;
	err = misc_register(&dev);
	if (!err)
		return 0;
	ovid_vsock_unregister();
queue:
	destroy_workqueue(ovid_vsock_queue);
	return err;
}

/* no CID is bound, no socket and no channel is ours; what is left of their work ends here */
static void __exit vsock_exit(void)
{
	misc_deregister(&dev);
	ovid_vsock_unregister();
	destroy_workqueue(ovid_vsock_queue);
}

module_init(vsock_init);
module_exit(vsock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Open Virtual Infrastructure Driver: sockets between the host and its guests");
MODULE_VERSION(OVID_VERSION);
