// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX backend as the core sees it.
 */
#include <linux/slab.h>
#include <asm/apic.h>
#include "vmx.h"

static int vmx_probe(void)
{
	int err = vmx_check_caps(ovid_vmx_ops.reason, sizeof(ovid_vmx_ops.reason));

	if (err)
		return err;
	err = vmx_run_init();
	if (err)
		strscpy(ovid_vmx_ops.reason, "CPU has no XSAVE, or the kernel does not use it");
	return err;
}

static int vmx_init(void)
{
	int err;

	err = vmx_vmcs_module_init();
	if (err)
		return err;
	err = vmx_hostmsr_init();
	if (err)
		goto vmcs;
	err = vmx_mitigate_init();
	if (err)
		goto hostmsr;
	err = vmx_life_init();
	if (err)
		goto mitigate;
	return 0;

mitigate:
	vmx_mitigate_fini();
hostmsr:
	vmx_hostmsr_fini();
vmcs:
	vmx_vmcs_module_fini();
	return err;
}

static void vmx_fini(void)
{
	vmx_life_fini();
	vmx_mitigate_fini();
	vmx_hostmsr_fini();
	vmx_vmcs_module_fini();
}

static int vmx_vp_init(struct ovid_vp *vp)
{
	struct vmx_vp *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	int err;

	if (!v)
		return -ENOMEM;
	v->vp = vp;
	vp->arch = v;
	v->pdptr_cr = VMX_NO_CR;
	err = vmx_apic_page_init(vp->part) ?: vmx_fpu_init(v);
	if (err)
		goto free;
	err = vmx_pml_init(v);
	if (err)
		goto fpu;
	err = vmx_vmcs_init(v);
	if (err)
		goto pml;
	return 0;

pml:
	vmx_pml_fini(v);
fpu:
	vmx_fpu_fini(v);
free:
	vp->arch = NULL;
	kfree(v);
	return err;
}

static void vmx_vp_fini(struct ovid_vp *vp)
{
	struct vmx_vp *v = to_vmx(vp);

	vmx_vmcs_fini(v);
	vmx_pml_fini(v);
	vmx_fpu_fini(v);
	vmx_forget(v);
	vp->arch = NULL;
	kfree(v);
}

/* the hardware takes PIR into account without an exit */
static bool vmx_post_interrupt(struct ovid_vp *vp, int cpu)
{
	if (!vmx_caps.posted || !vp->apic.vid)
		return false;
	__apic_send_IPI_mask(cpumask_of(cpu), POSTED_INTR_VECTOR);
	return true;
}

struct ovid_backend_ops ovid_vmx_ops = {
	.name = "vmx",
	.probe = vmx_probe,
	.init = vmx_init,
	.fini = vmx_fini,
	.enable = vmx_enable,
	.disable = vmx_disable,
	.blockers = vmx_blockers,
	.hypercall_code = { 0x0f, 0x01, 0xc1, 0xc3 },	/* VMCALL, RET */
	.vp_init = vmx_vp_init,
	.vp_fini = vmx_vp_fini,
	.vp_reset = vmx_vp_reset,
	.vp_sipi = vmx_vp_sipi,
	.run = vmx_run,
	.handle_slow = vmx_handle_slow,
	.reg_get = vmx_reg_get,
	.reg_check = vmx_reg_check,
	.reg_set = vmx_reg_set,
	.page_fill = vmx_page_fill,
	.page_fold = vmx_page_fold,
	.skip_exit = vmx_skip_exit,
	.inject_exception = vmx_inject_exception,
	.view = vmx_view,
	.msr_get = vmx_msr_get,
	.msr_set = vmx_msr_set,
	.post_interrupt = vmx_post_interrupt,
	.tlb_flush = vmx_tlb_flush,
	.xmm_get = vmx_xmm_get,
	.xmm_set = vmx_xmm_set,
};
