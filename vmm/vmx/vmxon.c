// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX operation of each CPU: who is in it, and that nobody stays in it.
 *
 * Two modes behind one interface.  Persistent: VMXON on every CPU while a
 * partition exists, CR4.VMXE set through the kernel's CR4 shadow.  Scoped (the
 * shadow is not ours to change): VMXON only inside a run window, with
 * interrupts off from CR4.VMXE set to CR4.VMXE clear, so that no kernel code
 * that writes CR4 from its shadow can run in between.
 *
 * VMX is someone else's when CR4.VMXE is set and we did not set it: EBUSY.
 *
 * Locks: life_lock orders enable, disable and CPU hotplug's view of them; the
 * per-CPU words are written by their own CPU with interrupts off.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include "vmx.h"

/* allowed: the CPU is online for us; on: in VMX operation by our VMXON */
struct vmx_cpu {
	void *region;
	hpa_t region_pa;
	unsigned long cr4;	/* scoped: to put back */
	bool allowed;
	bool on;
};

static DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);
static DEFINE_MUTEX(life_lock);
static bool life_enabled;
static bool life_over;		/* the machine goes down: VMX stays off */
static bool emergency_set;	/* the kernel's crash callback is ours */
static int hotplug_state;

void ovid_vmx_insn_failed(const char *what, unsigned long arg)
{
	WARN_ONCE(1, "ovid: %s %#lx failed\n", what, arg);
}

static bool owned_by_other(void)
{
	return (__read_cr4() & X86_CR4_VMXE) && !this_cpu_read(vmx_cpus.on);
}

/* firmware may leave the lock to us */
static int unlock_feature_control(void)
{
	u64 fc;

	ovid_rdmsr(MSR_IA32_FEAT_CTL, fc);
	if (fc & FEAT_CTL_LOCKED)
		return fc & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX ? 0 : -ENODEV;
	return ovid_wrmsr_safe(MSR_IA32_FEAT_CTL,
			       fc | FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
}

static int cpu_vmxon(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	int err;

	if (c->on)
		return 0;
	if (owned_by_other())
		return -EBUSY;
	ovid_cr4_set(X86_CR4_VMXE);
	err = vmxon(c->region_pa);
	if (err)
		ovid_cr4_clear(X86_CR4_VMXE);
	else
		c->on = true;
	return err;
}

static void cpu_vmxoff(void)
{
	if (!this_cpu_read(vmx_cpus.on))
		return;
	vmx_vmcs_clear_cpu();
	vmxoff();
	this_cpu_write(vmx_cpus.on, false);
	ovid_cr4_clear(X86_CR4_VMXE);
}

/* on the CPU concerned, interrupts off */
static void cpu_start(void *err)
{
	int e = unlock_feature_control();

	if (!e && !vmx_caps.scoped)
		e = cpu_vmxon();
	else if (!e && owned_by_other())
		e = -EBUSY;
	if (e)
		atomic_cmpxchg((atomic_t *)err, 0, e);
	else
		this_cpu_write(vmx_cpus.allowed, true);
}

static void cpu_stop(void *unused)
{
	this_cpu_write(vmx_cpus.allowed, false);
	vmx_hostmsr_drop();
	cpu_vmxoff();
}

/* what to tell of cpu_start()'s result, once for all CPUs */
static int told(int err)
{
	if (err == -EBUSY)
		ovid_err("VMX is in use by another hypervisor: unload it (modprobe -r kvm_intel) or load kvm with enable_virt_at_load=0");
	return err;
}

u32 vmx_blockers(char *reason, size_t len)
{
	bool busy;

	preempt_disable();
	busy = owned_by_other();
	preempt_enable();
	if (!busy)
		return 0;
	snprintf(reason, len, "another hypervisor has VMX: unload it (modprobe -r kvm_intel) or load kvm with enable_virt_at_load=0");
	return OVID_BLOCK_VMX_BUSY;
}

/*
 * vmx_window_open - be in VMX operation on this CPU; interrupts off
 *
 * Returns 0, -EBUSY (another hypervisor has VMX) or -EAGAIN (this CPU is
 * about to go offline: the caller's thread will be moved).
 */
int vmx_window_open(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	if (!c->allowed)
		return -EAGAIN;
	if (likely(c->on))
		return 0;
	if (!vmx_caps.scoped || owned_by_other())
		return -EBUSY;
	c->cr4 = __read_cr4();
	asm volatile("mov %0, %%cr4" : : "r" (c->cr4 | X86_CR4_VMXE) : "memory");
	if (vmxon(c->region_pa)) {
		asm volatile("mov %0, %%cr4" : : "r" (c->cr4) : "memory");
		return -EBUSY;
	}
	c->on = true;
	return 0;
}

/* scoped: back out of VMX operation; persistent: nothing */
void vmx_window_close(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	if (!vmx_caps.scoped || !c->on)
		return;
	vmx_vmcs_clear_cpu();
	vmxoff();
	c->on = false;
	asm volatile("mov %0, %%cr4" : : "r" (c->cr4) : "memory");
}

/* a CPU comes: it joins if VMX is enabled; it must be like the first one */
static int vmx_cpu_online(unsigned int cpu)
{
	atomic_t err = ATOMIC_INIT(0);
	u64 basic;

	ovid_rdmsr(MSR_IA32_VMX_BASIC, basic);
	if ((u32)(basic & 0x7fffffff) != vmx_caps.revision) {
		ovid_err("CPU %u has another VMCS revision than the others", cpu);
		return -EIO;
	}
	if (!READ_ONCE(life_enabled))
		return 0;
	local_irq_disable();
	cpu_start(&err);
	local_irq_enable();
	return told(atomic_read(&err));
}

static int vmx_cpu_offline(unsigned int cpu)
{
	local_irq_disable();
	cpu_stop(NULL);
	local_irq_enable();
	return 0;
}

/* suspend: the last CPU, interrupts off */
static int vmx_suspend(void)
{
	if (life_enabled)
		cpu_stop(NULL);
	return 0;
}

static void vmx_resume(void)
{
	atomic_t err = ATOMIC_INIT(0);

	if (life_enabled)
		cpu_start(&err);
}

OVID_SYSCORE(vmx_syscore, vmx_suspend, vmx_resume);

/* reboot and kexec: a CPU in VMX operation ignores INIT */
static int vmx_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	guard(mutex)(&life_lock);
	life_over = true;
	WRITE_ONCE(life_enabled, false);
	on_each_cpu(cpu_stop, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block vmx_reboot_nb = { .notifier_call = vmx_reboot };

/*
 * Crash: called on each CPU, in an NMI except on the one that crashes, and what
 * it broke into never goes on.  CR4 tells more than our own words: a window may
 * be half open.
 */
static void vmx_emergency(void)
{
	unsigned long cr4 = __read_cr4();

	if (!(cr4 & X86_CR4_VMXE))
		return;
	this_cpu_write(vmx_cpus.allowed, false);
	this_cpu_write(vmx_cpus.on, false);
	vmxoff();
	asm volatile("mov %0, %%cr4" : : "r" (cr4 & ~X86_CR4_VMXE) : "memory");
}

static void emergency_on(void)
{
	lockdep_assert_held(&life_lock);
	if (!OVID_HAVE_EMERGENCY || emergency_set)
		return;
	ovid_emergency_register(vmx_emergency);
	emergency_set = true;
}

static void emergency_off(void)
{
	lockdep_assert_held(&life_lock);
	if (!emergency_set)
		return;
	ovid_emergency_unregister(vmx_emergency);
	emergency_set = false;
}

static bool kvm_is_loaded(void)
{
	if (!__symbol_get("kvm_rebooting"))
		return false;
	__symbol_put("kvm_rebooting");
	return true;
}

/*
 * KVM is loaded under a running partition.  Persistent: it could not have VMX,
 * and would warn about the callback before it found out.  Scoped: there is room
 * for both; KVM's callback does for an open window what ours does.
 */
static int vmx_module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "kvm_intel"))
		return NOTIFY_DONE;
	guard(mutex)(&life_lock);
	if (!life_enabled)
		return NOTIFY_DONE;
	if (event == MODULE_STATE_GOING) {
		emergency_on();
	} else if (event == MODULE_STATE_COMING) {
		if (!vmx_caps.scoped) {
			ovid_err("kvm_intel is not let in while a partition has VMX: end it, or load ovid with scoped=1");
			return notifier_from_errno(-EBUSY);
		}
		emergency_off();
	}
	return NOTIFY_OK;
}

static struct notifier_block vmx_module_nb = { .notifier_call = vmx_module_event };

/*
 * vmx_enable - the first partition comes: every CPU may run VPs
 *
 * Returns 0, -EBUSY (VMX owned by another hypervisor, or the machine goes down)
 * or -EIO.
 */
int vmx_enable(void)
{
	atomic_t err = ATOMIC_INIT(0);

	guard(cpus_read_lock)();
	guard(mutex)(&life_lock);
	if (life_over)
		return -EBUSY;
	WRITE_ONCE(life_enabled, true);
	on_each_cpu(cpu_start, &err, 1);
	if (atomic_read(&err)) {
		WRITE_ONCE(life_enabled, false);
		on_each_cpu(cpu_stop, NULL, 1);
	} else if (!vmx_caps.scoped || !kvm_is_loaded()) {
		emergency_on();
	}
	return told(atomic_read(&err));
}

void vmx_disable(void)
{
	guard(cpus_read_lock)();
	guard(mutex)(&life_lock);
	WRITE_ONCE(life_enabled, false);
	on_each_cpu(cpu_stop, NULL, 1);
	emergency_off();
}

static void free_regions(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(vmx_cpus.region, cpu));
		per_cpu(vmx_cpus.region, cpu) = NULL;
	}
}

static int alloc_regions(void)
{
	struct vmx_cpu *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = &per_cpu(vmx_cpus, cpu);
		c->region = (void *)get_zeroed_page(GFP_KERNEL);
		if (!c->region)
			return -ENOMEM;
		*(u32 *)c->region = vmx_caps.revision;
		c->region_pa = __pa(c->region);
	}
	return 0;
}

int vmx_life_init(void)
{
	int err = alloc_regions();

	if (!err)
		err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "ovid:online",
					vmx_cpu_online, vmx_cpu_offline);
	if (err < 0) {
		free_regions();
		return err;
	}
	hotplug_state = err;
	ovid_syscore_register(&vmx_syscore);
	register_reboot_notifier(&vmx_reboot_nb);
	if (OVID_HAVE_EMERGENCY)
		register_module_notifier(&vmx_module_nb);
	return 0;
}

void vmx_life_fini(void)
{
	if (OVID_HAVE_EMERGENCY)
		unregister_module_notifier(&vmx_module_nb);
	unregister_reboot_notifier(&vmx_reboot_nb);
	ovid_syscore_unregister(&vmx_syscore);
	cpuhp_remove_state(hotplug_state);
	free_regions();
}
