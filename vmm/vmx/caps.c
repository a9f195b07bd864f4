// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VMX must offer, and which controls ovid uses (SDM 3D: VMX Capability
 * Reporting Facility).  Nothing later asks the CPU again: a control that is in
 * vmx_caps exists.  Every CPU must agree with the first one (vmxon.c checks).
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include "vmx.h"

struct vmx_caps vmx_caps;

static bool apicv = true;
module_param(apicv, bool, 0444);
MODULE_PARM_DESC(apicv, "use APIC register virtualization, virtual-interrupt delivery and posted interrupts where the CPU has them");

static bool eptad = true;
module_param(eptad, bool, 0444);
MODULE_PARM_DESC(eptad, "use the accessed and dirty bits of EPT where the CPU has them");

static bool scoped;
module_param(scoped, bool, 0444);
MODULE_PARM_DESC(scoped, "enter VMX operation around each run only, as on kernels without an open CR4 shadow");

struct control {
	const char *name;
	u32 msr;
	u32 need;
	u32 want;
};

/* how people call the controls that processors really lack */
static const struct { u32 msr, bit; const char *what; } control_names[] = {
	{ MSR_IA32_VMX_TRUE_PROCBASED_CTLS, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
	  "EPT (it has no secondary VMX controls)" },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, SECONDARY_EXEC_ENABLE_EPT, "EPT" },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, SECONDARY_EXEC_UNRESTRICTED_GUEST,
	  "unrestricted guest" },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, SECONDARY_EXEC_ENABLE_VPID, "VPID" },
	{ MSR_IA32_VMX_TRUE_PINBASED_CTLS, PIN_BASED_VIRTUAL_NMIS, "virtual NMIs" },
};

static int control_lacks(const struct control *c, u32 lack, char *reason, size_t len)
{
	size_t at = scnprintf(reason, len, "CPU lacks");
	const char *sep = " ";
	int i;

	for (i = 0; i < ARRAY_SIZE(control_names); i++) {
		if (control_names[i].msr != c->msr || !(control_names[i].bit & lack))
			continue;
		at += scnprintf(reason + at, len - at, "%s%s", sep, control_names[i].what);
		lack &= ~control_names[i].bit;
		sep = ", ";
	}
	if (lack)
		scnprintf(reason + at, len - at, "%sVMX %s controls %#x", sep, c->name, lack);
	return -ENODEV;
}

/* bits that may be set, limited to need | want; 0 bits that must be set are added */
static int control_pick(const struct control *c, u32 *out, char *reason, size_t len)
{
	u32 must, may;
	u64 cap;

	ovid_rdmsr(c->msr, cap);
	must = cap;
	may = cap >> 32;
	if (c->need & ~may)
		return control_lacks(c, c->need & ~may, reason, len);
	*out = (c->need | c->want | must) & may;
	return 0;
}

static int check_ept(char *reason, size_t len)
{
	static const struct { u64 bit; const char *what; } need[] = {
		{ VMX_EPT_PAGE_WALK_4_BIT, "4-level EPT" },
		{ VMX_EPTP_WB_BIT, "write-back EPT paging structures" },
		{ VMX_EPT_2MB_PAGE_BIT, "2 MiB EPT pages" },
		{ VMX_EPT_INVEPT_BIT, "INVEPT" },
		{ VMX_EPT_EXTENT_CONTEXT_BIT, "single-context INVEPT" },
		{ VMX_EPT_EXTENT_GLOBAL_BIT, "global INVEPT" },
		{ (u64)VMX_VPID_INVVPID_BIT << 32, "INVVPID" },
		{ (u64)VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT << 32, "single-context INVVPID" },
	};
	int i;

	ovid_rdmsr(MSR_IA32_VMX_EPT_VPID_CAP, vmx_caps.ept_vpid);
	for (i = 0; i < ARRAY_SIZE(need); i++) {
		if (vmx_caps.ept_vpid & need[i].bit)
			continue;
		snprintf(reason, len, "CPU lacks %s", need[i].what);
		return -ENODEV;
	}
	return 0;
}

/* The kernel hides VMX that firmware has locked off; the processor does not. */
static bool firmware_disabled(void)
{
	const u32 vmx = BIT(X86_FEATURE_VMX & 31);
	u64 fc;

	if (!(cpuid_ecx(1) & vmx) || ovid_rdmsr_safe(MSR_IA32_FEAT_CTL, &fc))
		return false;
	return (fc & FEAT_CTL_LOCKED) && !(fc & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
}

static int check_firmware(char *reason, size_t len)
{
	if (firmware_disabled()) {
		snprintf(reason, len, "firmware disabled VMX: enable virtualization in the firmware setup");
		return -ENODEV;
	}
	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		snprintf(reason, len, "CPU has no VMX (Intel VT-x), or it is hidden from this machine");
		return -ENODEV;
	}
#ifdef CONFIG_X86_FRED
	if (cpu_feature_enabled(X86_FEATURE_FRED)) {
		snprintf(reason, len, "host uses FRED, boot it with fred=off");
		return -ENODEV;
	}
#endif
	return 0;
}

static int check_basic(char *reason, size_t len)
{
	const char *what = NULL;
	u64 basic;

	ovid_rdmsr(MSR_IA32_VMX_BASIC, basic);
	vmx_caps.revision = basic & 0x7fffffff;
	vmx_caps.vmcs_size = (basic >> 32) & 0x1fff;
	if (vmx_caps.vmcs_size > PAGE_SIZE)
		what = "a VMCS that fits into a page";
	else if (((basic >> 50) & 0xf) != 6)
		what = "a VMCS in write-back memory";
	else if (!(basic & BIT_ULL(55)))
		what = "the TRUE VMX control MSRs (and EPT with them)";
	if (what) {
		snprintf(reason, len, "CPU lacks %s", what);
		return -ENODEV;
	}
	ovid_rdmsr(MSR_IA32_VMX_CR0_FIXED0, vmx_caps.cr0_fixed0);
	ovid_rdmsr(MSR_IA32_VMX_CR4_FIXED0, vmx_caps.cr4_fixed0);
	ovid_rdmsr(MSR_IA32_VMX_CR4_FIXED1, vmx_caps.cr4_fixed1);
	return 0;
}

static int check_controls(char *reason, size_t len)
{
	static const struct control proc = {
		"primary", MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		.need = CPU_BASED_HLT_EXITING | CPU_BASED_UNCOND_IO_EXITING |
			CPU_BASED_USE_MSR_BITMAPS | CPU_BASED_USE_TSC_OFFSETTING |
			CPU_BASED_MOV_DR_EXITING | CPU_BASED_MWAIT_EXITING |
			CPU_BASED_MONITOR_EXITING | CPU_BASED_RDPMC_EXITING |
			CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING |
			CPU_BASED_ACTIVATE_SECONDARY_CONTROLS,
		.want = CPU_BASED_TPR_SHADOW | CPU_BASED_CR8_LOAD_EXITING |
			CPU_BASED_CR8_STORE_EXITING,
	};
	static const struct control proc2 = {
		"secondary", MSR_IA32_VMX_PROCBASED_CTLS2,
		.need = SECONDARY_EXEC_ENABLE_EPT | SECONDARY_EXEC_UNRESTRICTED_GUEST |
			SECONDARY_EXEC_ENABLE_VPID,
		.want = SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID |
			SECONDARY_EXEC_ENABLE_XSAVES | SECONDARY_EXEC_WBINVD_EXITING |
			SECONDARY_EXEC_PAUSE_LOOP_EXITING | SECONDARY_EXEC_TSC_SCALING |
			SECONDARY_EXEC_ENABLE_PML |
			SECONDARY_EXEC_APIC_REGISTER_VIRT |
			SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |
			SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
			SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES,
	};
	static const struct control pin = {
		"pin-based", MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		.need = PIN_BASED_EXT_INTR_MASK | PIN_BASED_NMI_EXITING |
			PIN_BASED_VIRTUAL_NMIS,
		.want = PIN_BASED_VMX_PREEMPTION_TIMER | PIN_BASED_POSTED_INTR,
	};
	static const struct control exit = {
		"exit", MSR_IA32_VMX_TRUE_EXIT_CTLS,
		.need = VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_SAVE_DEBUG_CONTROLS |
			VM_EXIT_LOAD_IA32_PAT | VM_EXIT_LOAD_IA32_EFER |
			VM_EXIT_ACK_INTR_ON_EXIT,
		.want = VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL,
	};
	static const struct control entry = {
		"entry", MSR_IA32_VMX_TRUE_ENTRY_CTLS,
		.need = VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_PAT |
			VM_ENTRY_LOAD_IA32_EFER,
		.want = VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL,
	};
	int err;

	err = control_pick(&proc, &vmx_caps.proc, reason, len) ?:
	      control_pick(&proc2, &vmx_caps.proc2, reason, len) ?:
	      control_pick(&pin, &vmx_caps.pin, reason, len) ?:
	      control_pick(&exit, &vmx_caps.exit, reason, len) ?:
	      control_pick(&entry, &vmx_caps.entry, reason, len);
	return err;
}

static bool ept_ad(void)
{
	return eptad && vmx_caps.ept_vpid & VMX_EPT_AD_BIT;
}

/* takes out of the picked controls what is switched off or makes no sense alone */
static void settle_optional(void)
{
	const u32 virt = SECONDARY_EXEC_APIC_REGISTER_VIRT |
			 SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |
			 SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |
			 SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES;
	struct vmx_caps *c = &vmx_caps;
	u64 misc;

	c->tpr_shadow = c->proc & CPU_BASED_TPR_SHADOW;
	if (c->tpr_shadow)
		c->proc &= ~(CPU_BASED_CR8_LOAD_EXITING | CPU_BASED_CR8_STORE_EXITING);

	c->apicv = apicv && c->tpr_shadow && (c->proc2 & virt) == virt;
	c->posted = c->apicv && IS_ENABLED(CONFIG_KVM) &&
		    (c->pin & PIN_BASED_POSTED_INTR);
	if (!c->posted)
		c->pin &= ~PIN_BASED_POSTED_INTR;
	/* the APIC bits are set per VP by its mode: vmx_set_apic_mode() */
	c->proc2 &= ~virt;

	/* only for partitions with another frequency: setup_controls() */
	c->tsc_scaling = c->proc2 & SECONDARY_EXEC_TSC_SCALING;
	c->proc2 &= ~SECONDARY_EXEC_TSC_SCALING;

	/* only while writes are tracked: vmx_pml_set() */
	c->pml = ept_ad() && c->proc2 & SECONDARY_EXEC_ENABLE_PML;
	c->proc2 &= ~SECONDARY_EXEC_ENABLE_PML;

	c->preempt_timer = c->pin & PIN_BASED_VMX_PREEMPTION_TIMER;
	ovid_rdmsr(MSR_IA32_VMX_MISC, misc);
	c->preempt_shift = misc & 0x1f;

	if (!boot_cpu_has(X86_FEATURE_XSAVES))
		c->proc2 &= ~SECONDARY_EXEC_ENABLE_XSAVES;
	c->xsaves = c->proc2 & SECONDARY_EXEC_ENABLE_XSAVES;

	/* windows are for when there is something to inject, MOV DR for laziness */
	c->proc &= ~(CPU_BASED_INTR_WINDOW_EXITING | CPU_BASED_NMI_WINDOW_EXITING);
	c->scoped = scoped || !OVID_HAVE_CR4_SHADOW;
}

static u32 caps_bits(void)
{
	const struct vmx_caps *c = &vmx_caps;

	return OVID_CAP_X2APIC |
	       (c->tpr_shadow ? OVID_CAP_TPR_SHADOW : 0) |
	       (c->apicv ? OVID_CAP_APICV : 0) |
	       (c->posted ? OVID_CAP_POSTED_INTR : 0) |
	       (c->ept_vpid & VMX_EPT_1GB_PAGE_BIT ? OVID_CAP_EPT_1G : 0) |
	       (ept_ad() ? OVID_CAP_EPT_AD : 0) |
	       (c->pml ? OVID_CAP_PML : 0) |
	       (c->tsc_scaling ? OVID_CAP_TSC_SCALING : 0) |
	       (c->preempt_timer ? OVID_CAP_PREEMPT_TIMER : 0) |
	       (c->scoped ? OVID_CAP_VMX_SCOPED : 0);
}

static void set_format(void)
{
	struct ovid_tdp_format *f = &ovid_vmx_ops.tdp;

	f->read = VMX_EPT_READABLE_MASK;
	f->write = VMX_EPT_WRITABLE_MASK;
	f->exec = VMX_EPT_EXECUTABLE_MASK;
	f->leaf = BIT_ULL(7);
	f->memtype_wb = 6 << VMX_EPT_MT_EPTE_SHIFT;	/* WB, guest's PAT counts too */
	f->accessed = ept_ad() ? VMX_EPT_ACCESS_BIT : 0;
	f->dirty = ept_ad() ? VMX_EPT_DIRTY_BIT : 0;
	f->has_1g = vmx_caps.ept_vpid & VMX_EPT_1GB_PAGE_BIT;
}

/*
 * vmx_check_caps - fill vmx_caps, or say which required thing is missing
 *
 * Required: VMX not locked off; EPT with 4 levels, write-back and 2 MiB pages;
 * unrestricted guest; VPID; INVEPT and INVVPID by context; virtual NMIs; PAT
 * and EFER switched by entry and exit.  Returns 0 or -ENODEV with @reason.
 */
int vmx_check_caps(char *reason, size_t len)
{
	int err;

	err = check_firmware(reason, len) ?:
	      check_basic(reason, len) ?:
	      check_controls(reason, len) ?:
	      check_ept(reason, len);
	if (err)
		return err;
	settle_optional();
	set_format();
	ovid_vmx_ops.caps = caps_bits();
	return 0;
}
