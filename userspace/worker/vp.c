// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp.c - the thread of a VP: runs the guest, serves its exits, and waits parked
 * while the main thread changes the machine under it.
 */
#include <signal.h>
#include <time.h>

#include "insn.h"
#include "machine.h"

#define SIG_KICK	SIGUSR1
#define BUSY_WAIT_NS	10000000	/* another hypervisor has VMX: ask again */
#define BUSY_TRIES	1000

static void stop_here(struct vp *vp)
{
	__atomic_store_n(&vp->run->cancel, 1, __ATOMIC_RELEASE);
}

static void exit_io(struct vp *vp)
{
	struct ovid_run *run = vp->run;

	if (run->write) {
		bus_write(&vp->m->ports, run->address, run->value, run->access_size);
		if (run->address == SERIAL_COM1)
			chario_throttle(&vp->m->console);
	} else {
		run->value = bus_read(&vp->m->ports, run->address, run->access_size);
	}
}

static void exit_mmio(struct vp *vp)
{
	struct ovid_run *run = vp->run;

	if (run->write)
		bus_write(&vp->m->mmio, run->address, run->value, run->access_size);
	else
		run->value = bus_read(&vp->m->mmio, run->address, run->access_size);
}

/* An exception in the TLFS's pending-event form. */
static int inject_fault(struct vp *vp, const struct guest_fault *f)
{
	const struct ovid_reg event = {
		.name = HV_REGISTER_PENDING_EVENT0,
		.low = 1 | (u64)f->has_error << 8 | (u64)f->vector << 16 | (u64)f->error << 32,
		.high = f->cr2,
	};

	return vid_set_regs(vp->fd, &event, 1);
}

static int vectors(void *arg, void *page, bool set)
{
	struct vp *vp = arg;

	return set ? vid_set_state(vp->fd, MSHV_VP_STATE_XSAVE, page) :
		     vid_get_state(vp->fd, MSHV_VP_STATE_XSAVE, page);
}

static void exit_raw(struct vp *vp)
{
	struct machine *m = vp->m;
	struct insn in = {
		.regs = vp->regs, .gm = &m->mem, .ports = &m->ports, .mmio = &m->mmio,
		.len = vp->run->insn_len, .vectors = vectors, .arg = vp,
	};
	char hex[33] = "";
	int ret;

	memcpy(in.bytes, vp->run->bytes, sizeof(in.bytes));
	ret = insn_emulate(&in);
	if (ret == INSN_DONE)
		return;
	if (ret == INSN_FAULT) {
		ret = inject_fault(vp, &in.fault);
		if (!ret)
			return;
	}
	for (unsigned int i = 0; i < 16; i++) {
		hex[i * 2] = "0123456789abcdef"[in.bytes[i] >> 4];
		hex[i * 2 + 1] = "0123456789abcdef"[in.bytes[i] & 15];
	}
	machine_end(m, OVID_X_HOST,
		    "VP %u used an instruction on a device at %#llx that ovid does not know: %.*s at RIP %#llx",
		    vp->index, (unsigned long long)vp->run->address,
		    in.len > 15 ? 30 : in.len * 2, hex, (unsigned long long)vp->regs->rip);
}

static void exit_extint(struct vp *vp)
{
	int vector = pic_acknowledge(&vp->m->irqs.pic);

	vp->run->value = vector < 0 ? 256 : vector;
}

static void exit_shutdown(struct vp *vp)
{
	struct ovid_reg rip = { .name = HV_X64_REGISTER_RIP };

	vid_get_regs(vp->fd, &rip, 1);
	machine_end(vp->m, OVID_X_CRASH, "the guest crashed: triple fault on VP %u at RIP %#llx",
		    vp->index, (unsigned long long)rip.low);
}

/* Reasons for an exit that a guest can bring about and ovid does not serve. */
#define REASON_TASK_SWITCH	9

static void exit_fail(struct vp *vp)
{
	const struct ovid_run *run = vp->run;

	if (run->fail_error == REASON_TASK_SWITCH)
		machine_end(vp->m, OVID_X_HOST,
			    "the guest switched tasks by hardware on VP %u, which ovid does not do (a task gate, or a far jump, call or return to a TSS)",
			    vp->index);
	else
		machine_end(vp->m, OVID_X_HOST,
			    "VM entry failed on VP %u: error %u, qualification %#llx (see the kernel log)",
			    vp->index, run->fail_error,
			    (unsigned long long)run->fail_qualification);
}

static void exit_unknown(struct vp *vp)
{
	const struct ovid_run *run = vp->run;

	machine_end(vp->m, OVID_X_HOST,
		    "VP %u left for a reason this ovid does not know: %u; do module and tools belong together?",
		    vp->index, run->exit);
}

static void handle_exit(struct vp *vp)
{
	switch (vp->run->exit) {
	case OVID_EXIT_NONE:
		break;
	case OVID_EXIT_IO:
		exit_io(vp);
		break;
	case OVID_EXIT_MMIO:
		exit_mmio(vp);
		break;
	case OVID_EXIT_IO_STRING:
	case OVID_EXIT_MMIO_RAW:
		exit_raw(vp);
		break;
	case OVID_EXIT_EOI:
		ioapic_eoi(&vp->m->irqs.ioapic, vp->run->vector);
		break;
	case OVID_EXIT_EXTINT:
		exit_extint(vp);
		break;
	case OVID_EXIT_SHUTDOWN:
		exit_shutdown(vp);
		break;
	case OVID_EXIT_FAIL:
		exit_fail(vp);
		break;
	case OVID_EXIT_RESET:
		machine_reboot(vp->m);
		break;
	case OVID_EXIT_CRASH:
		machine_crashed(vp->m, vp, vp->run->value);
		break;
	default:
		exit_unknown(vp);
	}
	if (atomic_load_explicit(&vp->m->hold, memory_order_relaxed))
		stop_here(vp);
}

/* Until somebody sets cancel: this thread for an end, or machine_park(). */
static void run_guest(struct vp *vp)
{
	unsigned int busy = 0;

	for (;;) {
		int ret = vid_run_vp(vp->fd);

		if (!ret) {
			handle_exit(vp);
			busy = 0;
			continue;
		}
		if (ret == 1)
			return;
		if (ret == -EBUSY && ++busy < BUSY_TRIES) {
			nanosleep(&(struct timespec){ .tv_nsec = BUSY_WAIT_NS }, NULL);
			continue;
		}
		if (ret == -EINTR)
			continue;
		machine_end(vp->m, OVID_X_HOST, "VP %u cannot run: %s", vp->index,
			    ret == -EBUSY ? "another hypervisor has taken VMX" : strerror(-ret));
		return;
	}
}

static void *vp_thread(void *arg)
{
	struct vp *vp = arg;
	struct machine *m = vp->m;
	u64 seen = 0;
	bool ending;

	for (;;) {
		pthread_mutex_lock(&m->lock);
		m->parked++;
		pthread_cond_broadcast(&m->changed);
		while (m->generation == seen)
			pthread_cond_wait(&m->changed, &m->lock);
		seen = m->generation;
		ending = m->ending;
		pthread_mutex_unlock(&m->lock);
		if (ending)
			return NULL;
		run_guest(vp);
	}
}

static void wait_parked(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	while (m->parked < m->nr_vps)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

/* Returns with every VP thread waiting, its last exit committed. */
void machine_park(struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_vps; i++) {
		stop_here(&m->vp[i]);
		pthread_kill(m->vp[i].thread, SIG_KICK);
	}
	wait_parked(m);
}

/* All VPs are parked: they go on, or end when @ending is set. */
void machine_release(struct machine *m)
{
	for (unsigned int i = 0; i < m->nr_vps; i++)
		__atomic_store_n(&m->vp[i].run->cancel, 0, __ATOMIC_RELEASE);
	pthread_mutex_lock(&m->lock);
	m->parked = 0;
	m->generation++;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

void machine_join(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_mutex_unlock(&m->lock);
	machine_release(m);
	for (unsigned int i = 0; i < m->nr_vps; i++)
		pthread_join(m->vp[i].thread, NULL);
}

static void kicked(int sig)
{
	(void)sig;	/* its arrival ends the run call, that is all */
}

int machine_start_threads(struct machine *m, struct failure *why)
{
	struct sigaction sa = { .sa_handler = kicked };
	pthread_attr_t attr;
	int ret = 0;

	sigaction(SIG_KICK, &sa, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	for (unsigned int i = 0; i < m->nr_vps && !ret; i++)
		ret = pthread_create(&m->vp[i].thread, &attr, vp_thread, &m->vp[i]);
	pthread_attr_destroy(&attr);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot start VP threads: %s", strerror(ret));
	wait_parked(m);
	return 0;
}
