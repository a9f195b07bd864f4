// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload, and the device nodes.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <asm/hypervisor.h>
#include "backend.h"
#include "bus.h"
#include "hv_feature.h"
#include "ioctl.h"
#include "irqfd.h"
#include "partition.h"
#include "stats.h"

static bool mshv_compat;
module_param(mshv_compat, bool, 0444);
MODULE_PARM_DESC(mshv_compat, "also offer /dev/mshv, for clients of Linux's mshv driver");

struct ovid_backend_ops *ovid_backend = &ovid_vmx_ops;

static int dev_open(struct inode *inode, struct file *file)
{
	return 0;	/* misc_open() leaves its own pointer in private_data */
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.unlocked_ioctl = ovid_dev_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice dev_ovid = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ovid",
	.fops = &dev_fops,
	.mode = 0660,
};

static struct miscdevice dev_mshv = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mshv",
	.fops = &dev_fops,
	.mode = 0600,
};

static int register_nodes(void)
{
	int err = misc_register(&dev_ovid);

	if (err || !mshv_compat)
		return err;
	/* under Hyper-V the name belongs to the driver of the real thing */
	err = hypervisor_is_type(X86_HYPER_MS_HYPERV) ? -EBUSY : misc_register(&dev_mshv);
	if (err) {
		pr_err("ovid: /dev/mshv cannot be made (%d): load without mshv_compat\n", err);
		misc_deregister(&dev_ovid);
	}
	return err;
}

static int __init ovid_init(void)
{
	int err;

	err = ovid_backend->probe();
	if (err) {
		pr_err("ovid: %s\n", ovid_backend->reason);
		return err;
	}
	err = ovid_backend->init();
	if (err)
		return err;
	ovid_hv_apic_hint(!(ovid_backend->caps & OVID_CAP_APICV));
	err = ovid_stats_init();
	if (err)
		goto backend;
	err = ovid_vmbus_door.init();
	if (err)
		goto stats;
	err = register_nodes();
	if (err)
		goto bus;
	return 0;

bus:
	ovid_vmbus_door.fini();
stats:
	ovid_stats_fini();
backend:
	ovid_backend->fini();
	return err;
}

/* no file of ours is open: no partition exists */
static void __exit ovid_exit(void)
{
	if (mshv_compat)
		misc_deregister(&dev_mshv);
	misc_deregister(&dev_ovid);
	ovid_vmbus_door.fini();
	ovid_part_module_fini();
	ovid_irq_exit();
	ovid_stats_fini();
	ovid_backend->fini();
}

module_init(ovid_init);
module_exit(ovid_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Open Virtual Infrastructure Driver: a Hyper-V-compatible host");
MODULE_VERSION(OVID_VERSION);
