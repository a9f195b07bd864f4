// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual processor: made, run, kicked, reset.
 *
 * The run loop turns what the backend says into what the worker reads; it is
 * the only place where a VP's thread waits (HLT, wait for SIPI, pause).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>
#include "backend.h"
#include "compat.h"
#include "emul_mmio.h"
#include "guestmem.h"
#include "ioctl.h"
#include "partition.h"
#include "spin.h"
#include "trace.h"
#include "vp.h"

/* requests the run loop serves; the backend serves the others */
#define LOOP_REQUESTS	(BIT(OVID_REQ_PAUSE) | BIT(OVID_REQ_INIT) | BIT(OVID_REQ_RESET))

/* ---- kicks: see the head of vp.h ---- */

void ovid_vp_kick(struct ovid_vp *vp)
{
	int cpu;

	smp_mb();	/* the news, then the look at mode */
	/* preemption off: a CPU that is in the guest now does not go offline before the IPI */
	guard(preempt)();
	if (READ_ONCE(vp->mode) == OVID_VP_OUT) {
		rcuwait_wake_up(&vp->wait);
		return;
	}
	/* on its own CPU it is the VP's own thread, which looks before it enters */
	cpu = READ_ONCE(vp->cpu);
	if (cpu != smp_processor_id()) {
		atomic64_inc(&vp->part->stats.kicks);
		arch_smp_send_reschedule(cpu);
	}
}

void ovid_vp_request(struct ovid_vp *vp, enum ovid_request req)
{
	/* a VP that sleeps serves only some: each news may be what ends its sleep */
	if (!test_and_set_bit(req, &vp->requests) || READ_ONCE(vp->mode) == OVID_VP_OUT)
		ovid_vp_kick(vp);
}

void ovid_vp_nmi(struct ovid_vp *vp)
{
	u32 n = READ_ONCE(vp->nmi_pending);

	do {
		if (n >= 2)
			return;
	} while (!try_cmpxchg(&vp->nmi_pending, &n, n + 1));
	set_bit(OVID_REQ_NMI, &vp->requests);
	ovid_vp_kick(vp);
}

void ovid_vp_interrupt_posted(struct ovid_vp *vp)
{
	int cpu;

	smp_mb__after_atomic();		/* PIR bit, then mode; pairs with window() */
	guard(preempt)();
	if (READ_ONCE(vp->mode) == OVID_VP_OUT) {
		rcuwait_wake_up(&vp->wait);
		return;
	}
	cpu = READ_ONCE(vp->cpu);
	if (cpu != smp_processor_id()) {
		if (ovid_backend->post_interrupt(vp, cpu)) {
			atomic64_inc(&vp->part->stats.posted);
		} else {
			atomic64_inc(&vp->part->stats.kicks);
			arch_smp_send_reschedule(cpu);
		}
	}
}

/* ---- reset, INIT, SIPI ---- */

static bool is_bsp(const struct ovid_vp *vp)
{
	return vp->index == 0;
}

void ovid_vp_reset(struct ovid_vp *vp)
{
	vp->nmi_pending = 0;
	vp->extint_line = false;
	vp->cr2 = 0;
	vp->dr6 = 0xffff0ff0;
	memset(vp->dr, 0, sizeof(vp->dr));
	vp->exit = (struct ovid_exit) { };
	vp->activity = is_bsp(vp) ? OVID_ACTIVE : OVID_WAIT_SIPI;
	ovid_msr_reset(vp);
	ovid_hv_vp_reset(vp);
	ovid_lapic_reset(vp, false);
	ovid_backend->vp_reset(vp, false);
}

void ovid_vp_init_event(struct ovid_vp *vp)
{
	vp->nmi_pending = 0;
	vp->cr2 = 0;
	vp->dr6 = 0xffff0ff0;
	memset(vp->dr, 0, sizeof(vp->dr));
	vp->activity = is_bsp(vp) ? OVID_ACTIVE : OVID_WAIT_SIPI;
	ovid_lapic_reset(vp, true);
	ovid_backend->vp_reset(vp, true);
}

void ovid_vp_sipi(struct ovid_vp *vp, u8 vector)
{
	if (vp->activity != OVID_WAIT_SIPI)
		return;
	ovid_backend->vp_sipi(vp, vector);
	vp->activity = OVID_ACTIVE;
}

static void serve_init(struct ovid_vp *vp)
{
	unsigned long pending = xchg(&vp->apic.pending_init, 0);

	if (pending & BIT(OVID_APIC_INIT))
		ovid_vp_init_event(vp);
	if (pending & BIT(OVID_APIC_SIPI))
		ovid_vp_sipi(vp, vp->apic.sipi_vector);
}

/* ---- waiting ---- */

/* the caller has to look at something: a signal, or the worker's cancel word */
static bool interrupted(struct ovid_vp *vp)
{
	return signal_pending(current) || (vp->native && READ_ONCE(vp->run->cancel));
}

static bool halt_ends(struct ovid_vp *vp)
{
	if (vp->activity != OVID_HALTED)
		return false;
	return READ_ONCE(vp->nmi_pending) ||
	       (vp->halt_if && (ovid_lapic_wakes(vp) ||
				(READ_ONCE(vp->extint_line) && ovid_lapic_takes_extint(vp))));
}

static bool to_look_at(struct ovid_vp *vp)
{
	return READ_ONCE(vp->requests) & LOOP_REQUESTS || interrupted(vp);
}

/* true: HLT has ended, or there is something to look at */
static bool poll(struct ovid_vp *vp, bool *ended)
{
	while (ovid_vp_poll_more(vp)) {
		*ended = halt_ends(vp);
		if (*ended || to_look_at(vp))
			return true;
		cpu_relax();
	}
	return false;
}

/* what its timer was armed for has passed, or the guest's clock was changed */
static bool wake_moved(struct ovid_vp *vp)
{
	return vp->activity == OVID_HALTED && ovid_lapic_timer_moved(&vp->apic);
}

static void sleep_until_end(struct ovid_vp *vp, bool *ended)
{
	vp->stats.halt_blocked++;
	/* looks first, sleeps then: one look is all it takes when an interrupt is there */
	rcuwait_wait_event(&vp->wait,
			   (*ended = halt_ends(vp)) || to_look_at(vp) || wake_moved(vp),
			   TASK_INTERRUPTIBLE);
}

/* a HLT that the host put in, not an exit: what ends it? */
static void restored_halt(struct ovid_vp *vp)
{
	u64 rflags[2] = { };

	/* VMX may be away just now: rather wake once too often, and ask again */
	vp->halt_restored = ovid_backend->reg_get(vp, HV_X64_REGISTER_RFLAGS, rflags);
	vp->halt_if = vp->halt_restored || vp->halt_idle || rflags[0] & X86_EFLAGS_IF;
}

/* sleeps in HLT or until SIPI; returns when there is something to look at */
static void block(struct ovid_vp *vp)
{
	bool ended = false;

	if (vp->activity != OVID_HALTED) {
		sleep_until_end(vp, &ended);
		return;
	}
	if (unlikely(vp->halt_restored))
		restored_halt(vp);
	ovid_vp_poll_begin(vp);
	if (poll(vp, &ended)) {
		vp->stats.halt_polled++;
	} else {
		ovid_lapic_timer_block(vp);
		sleep_until_end(vp, &ended);
		ovid_lapic_timer_unblock(vp);
	}
	ovid_vp_poll_end(vp);
	if (ended)
		vp->activity = OVID_ACTIVE;
}

static void pause(struct ovid_vp *vp)
{
	rcuwait_wait_event(&vp->wait,
			   !test_bit(OVID_REQ_PAUSE, &vp->requests) ||
			   test_bit(OVID_REQ_RESET, &vp->requests) || interrupted(vp),
			   TASK_INTERRUPTIBLE);
}

static void serve_requests(struct ovid_vp *vp)
{
	if (test_and_clear_bit(OVID_REQ_RESET, &vp->requests)) {
		ovid_vp_reset(vp);
		wake_up_all(&vp->part->reset_wait);
	}
	if (test_and_clear_bit(OVID_REQ_INIT, &vp->requests))
		serve_init(vp);
	if (test_bit(OVID_REQ_PAUSE, &vp->requests))
		pause(vp);
}

/* ---- the run loop ---- */

/*
 * What its signals have put off.  A VP that @waits, in HLT or in a loop, would only wait for
 * somebody else to do it: it does it itself, and may have what it waits for then.
 */
static void bus_turn(struct ovid_vp *vp, bool waits)
{
	bool here = waits && !to_look_at(vp);

	ovid_vmbus_door.turn(ovid_bus_of(vp->part), here ? vp : NULL);
	vp->bus_due = false;
	if (!here)
		return;
	vp->stats.bus_turns++;
	if (halt_ends(vp))
		vp->activity = OVID_ACTIVE;
}

/*
 * Cancelled: the worker may want the state whole, and what other VPs have sent by
 * INIT and SIPI is in no register.
 */
static int cancelled(struct ovid_vp *vp)
{
	if (test_and_clear_bit(OVID_REQ_INIT, &vp->requests))
		serve_init(vp);
	return 1;
}

/*
 * The tick that ends a window always finds preemption off; without a word
 * from here RCU would have to ask harder for its quiescent state.
 *
 * Who else wanted the CPU may have done what a VP in HLT waits for: then there is no
 * need to prepare for sleep.
 */
static void breathe(struct ovid_vp *vp)
{
	if (need_resched()) {
		schedule();
		if (halt_ends(vp))
			vp->activity = OVID_ACTIVE;
		return;
	}
	if (IS_ENABLED(CONFIG_PREEMPT_RCU))
		return;
	local_irq_disable();
	rcu_note_context_switch(false);
	local_irq_enable();
}

/* the instruction at RIP, for a worker that decodes it */
static void fetch_insn(struct ovid_vp *vp)
{
	struct ovid_exit *x = &vp->exit;
	struct ovid_view view;

	ovid_backend->view(vp, &view);
	x->nr_bytes = ovid_guest_fetch(vp->part, &view, x->bytes, sizeof(x->bytes), false);
}

/*
 * Out to user mode for what only happens there, and in again, unseen by the
 * worker: the call is restarted unless a handler of signals ran.
 */
static int go_out(void)
{
	set_thread_flag(TIF_SIGPENDING);
	return -ERESTARTNOHAND;
}

static int to_worker(struct ovid_vp *vp)
{
	vp->stats.to_worker++;
	if (trace_vp_to_worker_enabled())
		trace_vp_to_worker(vp);
	return 0;
}

/* a message slot is free for a client that waits for one; our own worker does not */
static bool tells_deliverable(struct ovid_vp *vp)
{
	u16 sints = vp->native ? 0 : ovid_synic_deliverable(vp);

	if (!sints)
		return false;
	vp->exit = (struct ovid_exit) { .kind = OVID_X_DELIVERABLE, .value = sints };
	return true;
}

static int run_loop(struct ovid_vp *vp)
{
	enum ovid_run_result r;

	vp->stats.entries_slow++;
	if (unlikely(!READ_ONCE(vp->part->has_run)))
		WRITE_ONCE(vp->part->has_run, true);
	for (;;) {
		if (vp->bus_due)
			bus_turn(vp, vp->activity == OVID_HALTED);
		if (interrupted(vp))
			return vp->native && READ_ONCE(vp->run->cancel) ? cancelled(vp) : -EINTR;
		if (unlikely(ovid_user_work()))
			return go_out();
		if (READ_ONCE(vp->requests) & LOOP_REQUESTS) {
			serve_requests(vp);
			continue;
		}
		if (unlikely(vp->hv.synic.notify) && tells_deliverable(vp))
			return to_worker(vp);
		if (vp->activity != OVID_ACTIVE) {
			block(vp);
			if (vp->activity != OVID_ACTIVE)
				continue;
		}
		r = ovid_backend->run(vp);
		if (r == OVID_RUN_SLOW)
			r = ovid_backend->handle_slow(vp);
		switch (r) {
		case OVID_RUN_WORKER:
		case OVID_RUN_DEAD:
			if (vp->exit.kind == OVID_X_IO_STRING)
				fetch_insn(vp);
			return to_worker(vp);
		case OVID_RUN_YIELD:
			if (vp->bus_due)
				bus_turn(vp, true);
			else
				ovid_vp_spins(vp);
			break;
		case OVID_RUN_BUSY:
			return -EBUSY;
		case OVID_RUN_ERROR:
			return vp->run_error;
		default:
			breathe(vp);
		}
	}
}

int ovid_vp_run(struct ovid_vp *vp)
{
	int ret;

	if (READ_ONCE(vp->part->dead) || current->mm != vp->part->mm)
		return -EIO;
	WRITE_ONCE(vp->runner, current);
	ret = run_loop(vp);
	if (vp->bus_due)
		bus_turn(vp, false);
	WRITE_ONCE(vp->runner, NULL);
	return ret;
}

/* ---- OVID_RUN_VP: the run page ---- */

/* what the worker answered to the last exit goes into the VP */
static void commit(struct ovid_vp *vp)
{
	struct ovid_exit *x = &vp->exit;
	u64 value = READ_ONCE(vp->run->value);
	u64 *gpr = vp->page->gpr;
	unsigned int reg;

	x->flags &= ~OVID_XF_COMMIT;
	switch (x->kind) {
	case OVID_X_IO:
		/* a 32-bit IN clears the upper half, smaller ones keep the rest */
		if (x->size == 4)
			gpr[0] = (u32)value;
		else if (x->size == 2)
			gpr[0] = (READ_ONCE(gpr[0]) & ~0xffffull) | (u16)value;
		else
			gpr[0] = (READ_ONCE(gpr[0]) & ~0xffull) | (u8)value;
		break;
	case OVID_X_MEM:
		reg = x->insn.reg & 15;
		gpr[reg] = ovid_insn_load_result(&x->insn, READ_ONCE(gpr[reg]), value);
		if (reg == 4)	/* RSP is the backend's; decoding left it in the page */
			ovid_backend->page_fold(vp, BIT(HV_X64_REGISTER_CLASS_GENERAL));
		break;
	case OVID_X_MSR:
		if (READ_ONCE(vp->run->fault)) {
			ovid_backend->inject_exception(vp, X86_TRAP_GP, true, 0);
			break;
		}
		if (!(x->flags & OVID_XF_WRITE)) {
			gpr[0] = (u32)value;
			gpr[2] = value >> 32;
		}
		ovid_backend->skip_exit(vp, x->insn_len);
		break;
	default:
		break;
	}
}

static void answer_extint(struct ovid_vp *vp)
{
	u64 vector = READ_ONCE(vp->run->value);

	vp->extint_asked = false;
	if (vector < 256)
		vp->extint_vector = vector;
}

static const u8 exit_code[] = {
	[OVID_X_NONE] = OVID_EXIT_NONE,
	[OVID_X_IO] = OVID_EXIT_IO,
	[OVID_X_IO_STRING] = OVID_EXIT_IO_STRING,
	[OVID_X_MEM] = OVID_EXIT_MMIO_RAW,
	[OVID_X_EOI] = OVID_EXIT_EOI,
	[OVID_X_EXTINT] = OVID_EXIT_EXTINT,
	[OVID_X_SHUTDOWN] = OVID_EXIT_SHUTDOWN,
	[OVID_X_MSR] = OVID_EXIT_MSR,
	[OVID_X_FAIL] = OVID_EXIT_FAIL,
	[OVID_X_RESET] = OVID_EXIT_RESET,
	[OVID_X_CRASH] = OVID_EXIT_CRASH,
};

static void fill_access(struct ovid_run *run, const struct ovid_exit *x)
{
	run->write = !!(x->flags & OVID_XF_WRITE);
	run->access_size = x->size;
	run->insn_len = x->insn_len;
	run->value = x->value;
	switch (x->kind) {
	case OVID_X_IO:
	case OVID_X_IO_STRING:
		run->address = x->port;
		break;
	case OVID_X_MEM:
		run->address = x->gpa;
		run->gva = x->gva;
		run->insn_len = x->flags & OVID_XF_DECODED ? x->insn_len : x->nr_bytes;
		memcpy(run->bytes, x->bytes, sizeof(x->bytes));
		if (x->flags & OVID_XF_DECODED && !(x->flags & OVID_XF_EVENT))
			run->exit = OVID_EXIT_MMIO;
		break;
	case OVID_X_MSR:
		run->address = x->msr;
		break;
	case OVID_X_FAIL:
		run->fail_error = x->hw_reason;
		run->fail_qualification = x->hw_qualification;
		break;
	default:
		break;
	}
}

/* the run page after an exit, and the registers the worker wants or needs */
static void fill_run_page(struct ovid_vp *vp)
{
	struct ovid_exit *x = &vp->exit;
	struct ovid_run *run = vp->run;
	u32 want = READ_ONCE(run->want);

	run->exit = exit_code[x->kind];
	run->vector = x->vector;
	run->fault = 0;
	fill_access(run, x);
	if (x->kind == OVID_X_IO_STRING) {
		run->insn_len = x->nr_bytes;
		memcpy(run->bytes, x->bytes, sizeof(x->bytes));
	}
	if (run->exit == OVID_EXIT_IO_STRING || run->exit == OVID_EXIT_MMIO_RAW)
		want = OVID_WANT_RIP | OVID_WANT_SREGS;
	if (want)
		ovid_backend->page_fill(vp, want);
}

void ovid_vp_page_settle(struct ovid_vp *vp)
{
	u32 dirty = READ_ONCE(vp->page->dirty);

	if (likely(!dirty))
		return;
	WRITE_ONCE(vp->page->dirty, 0);
	ovid_backend->page_fold(vp, dirty);
}

int ovid_vp_run_native(struct ovid_vp *vp)
{
	int ret;

	vp->native = true;
	ovid_vp_page_settle(vp);
	if (vp->exit.flags & OVID_XF_COMMIT)
		commit(vp);
	if (unlikely(vp->extint_asked))
		answer_extint(vp);
	ret = ovid_vp_run(vp);
	if (!ret)
		fill_run_page(vp);
	else
		vp->run->exit = OVID_EXIT_NONE;
	return ret;
}

/* ---- life ---- */

void ovid_vp_destroy(struct ovid_vp *vp)
{
	if (vp->arch)
		ovid_backend->vp_fini(vp);
	ovid_lapic_fini(vp);
	ovid_hv_vp_fini(vp);
	free_page((unsigned long)vp->page);
	free_page((unsigned long)vp->msg);
	free_page((unsigned long)vp->run);
	kfree(vp);
}

static struct ovid_vp *vp_alloc(struct ovid_partition *part, u32 index)
{
	struct ovid_vp *vp = kzalloc(sizeof(*vp), GFP_KERNEL_ACCOUNT);
	int err;

	if (!vp)
		return ERR_PTR(-ENOMEM);
	vp->part = part;
	vp->index = index;
	vp->extint_vector = -1;
	mutex_init(&vp->lock);
	rcuwait_init(&vp->wait);
	vp->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vp->msg = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vp->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	err = vp->page && vp->msg && vp->run ? 0 : -ENOMEM;
	err = err ?: ovid_hv_vp_init(vp);
	err = err ?: ovid_lapic_init(vp);
	err = err ?: ovid_backend->vp_init(vp);
	if (err) {
		ovid_vp_destroy(vp);
		return ERR_PTR(err);
	}
	vp->page->version = HV_X64_REGISTER_PAGE_VERSION;
	vp->page->isvalid = 1;
	ovid_vp_reset(vp);
	return vp;
}

static int vp_release(struct inode *inode, struct file *file)
{
	struct ovid_vp *vp = file->private_data;

	ovid_part_put(vp->part);
	return 0;
}

static vm_fault_t vp_fault(struct vm_fault *vmf)
{
	struct ovid_vp *vp = vmf->vma->vm_file->private_data;
	void *page;

	switch (vmf->pgoff) {
	case MSHV_VP_MMAP_OFFSET_REGISTERS:
		page = vp->page;
		break;
	case MSHV_VP_MMAP_OFFSET_INTERCEPT_MESSAGE:
		page = vp->msg;
		break;
	case OVID_VP_MMAP_RUN:
		page = vp->run;
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	vmf->page = virt_to_page(page);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vp_vm_ops = {
	.fault = vp_fault,
};

static int vp_mmap(struct file *file, struct vm_area_struct *vma)
{
	switch (vma->vm_pgoff) {
	case MSHV_VP_MMAP_OFFSET_REGISTERS:
	case MSHV_VP_MMAP_OFFSET_INTERCEPT_MESSAGE:
	case OVID_VP_MMAP_RUN:
		break;
	case MSHV_VP_MMAP_OFFSET_GHCB:
		return -ENODEV;		/* SEV-SNP only */
	default:
		return -EINVAL;
	}
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_ops = &vp_vm_ops;
	return 0;
}

static const struct file_operations vp_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = ovid_vp_ioctl,
	.mmap = vp_mmap,
	.release = vp_release,
	.llseek = noop_llseek,
};

/* a file that holds the partition, and a number for it; neither is installed yet */
static int vp_file(struct ovid_vp *vp, struct file **file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	*file = anon_inode_getfile("[ovid-vp]", &vp_fops, vp, O_RDWR);
	if (IS_ERR(*file)) {
		put_unused_fd(fd);
		return PTR_ERR(*file);
	}
	ovid_part_get(vp->part);
	return fd;
}

int ovid_vp_create(struct ovid_partition *part, u32 index)
{
	struct file *file;
	struct ovid_vp *vp;
	int err, fd;

	if (index >= OVID_MAX_VPS)
		return -EINVAL;
	err = ovid_part_bind(part);
	if (err)
		return err;
	if (mutex_lock_killable(&part->lock))
		return -EINTR;
	if (part->state != OVID_PART_INITIALIZED)
		fd = -EINVAL;
	else if (part->vps[index])
		fd = -EEXIST;
	else
		fd = 0;
	vp = fd ? ERR_PTR(fd) : vp_alloc(part, index);
	if (IS_ERR(vp)) {
		fd = PTR_ERR(vp);
		goto out;
	}
	fd = vp_file(vp, &file);
	if (fd < 0) {
		ovid_vp_destroy(vp);
		goto out;
	}
	part->nr_vps++;
	if (part->paused)
		set_bit(OVID_REQ_PAUSE, &vp->requests);
	/* pairs with ovid_for_each_vp() and ovid_vp_get_index() */
	smp_store_release(&part->vps[index], vp);
	ovid_apic_map_update(part);
	ovid_stats_debugfs_add_vp(vp);
	trace_vp_create(vp);
	/* last: who can reach the fd can run the VP */
	fd_install(fd, file);
out:
	mutex_unlock(&part->lock);
	return fd;
}
