// SPDX-License-Identifier: GPL-2.0-only
/* machine.c - makes the partition, its memory, its VPs and its devices. */
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cpuid.h"
#include "machine.h"

#define PIT_MIN_NS	50000	/* a guest cannot ask for more interrupts than this */

static int map_memory(struct machine *m, int device, struct failure *why)
{
	u64 bytes = m->config->memory;
	void *base;
	int ret;

	m->memory_fd = vid_create_memory(device, OVID_MEM_HUGE, bytes);
	if (m->memory_fd < 0)
		return fail(why, OVID_X_HOST, "cannot get %llu MiB of guest memory (%s); give less --memory",
			    (unsigned long long)bytes >> 20, strerror(-m->memory_fd));
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m->memory_fd, 0);
	if (base == MAP_FAILED)
		return fail(why, OVID_X_HOST, "cannot map guest memory (%s); give less --memory",
			    strerror(errno));
	madvise(base, bytes, MADV_DONTDUMP);
	gmem_layout(&m->mem, bytes, base);
	ret = machine_map(m, m->part);
	if (ret)
		return fail(why, OVID_X_HOST,
			    "cannot give the guest %llu MiB of memory (%s); give less --memory",
			    (unsigned long long)bytes >> 20, strerror(-ret));
	return 0;
}

int machine_map(const struct machine *m, int part)
{
	const u8 *base = m->mem.region[0].host;
	int ret = 0;

	for (unsigned int i = 0; i < m->mem.nr && !ret; i++) {
		const struct gmem_region *r = &m->mem.region[i];

		ret = vid_map_memory(part, r->gpa, r->bytes, m->memory_fd, r->host - base);
	}
	return ret;
}

static void *map_page(int fd, u64 index)
{
	void *page = mmap(NULL, OVID_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  index * OVID_PAGE_SIZE);

	return page == MAP_FAILED ? NULL : page;
}

int vp_open(struct vp *vp, int part, unsigned int index, struct failure *why)
{
	*vp = (struct vp){ .index = index, .stats_fd = -1 };
	vp->fd = vid_create_vp(part, index);
	if (vp->fd < 0)
		return fail(why, OVID_X_HOST, "cannot create VP %u: %s", index,
			    strerror(-vp->fd));
	vp->run = map_page(vp->fd, OVID_VP_MMAP_RUN);
	vp->regs = map_page(vp->fd, MSHV_VP_MMAP_OFFSET_REGISTERS);
	if (!vp->run || !vp->regs)
		return fail(why, OVID_X_HOST, "cannot map the pages of VP %u: %s", index,
			    strerror(errno));
	vp->stats_fd = vid_stats_fd(vp->fd);
	return 0;
}

void vp_close(struct vp *vp)
{
	if (vp->run)
		munmap(vp->run, OVID_PAGE_SIZE);
	if (vp->regs)
		munmap(vp->regs, OVID_PAGE_SIZE);
	if (vp->stats_fd >= 0)
		close(vp->stats_fd);
	if (vp->fd >= 0)
		close(vp->fd);
}

static int create_vps(struct machine *m, struct failure *why)
{
	m->nr_vps = m->config->vps;
	m->vp = calloc(m->nr_vps, sizeof(*m->vp));
	if (!m->vp)
		return fail(why, OVID_X_HOST, "out of memory");
	for (unsigned int i = 0; i < m->nr_vps; i++) {
		int ret = vp_open(&m->vp[i], m->part, i, why);

		if (ret)
			return ret;
		m->vp[i].m = m;
	}
	return 0;
}

static int create_partition(struct machine *m, int device, struct failure *why)
{
	const struct worker_config *c = m->config;
	u32 flags = c->flags & WORKER_X2APIC ? OVID_PART_X2APIC : 0;

	m->part = vid_create_partition(device, flags, c->name);
	if (m->part == -EBUSY)
		return fail(why, OVID_X_HOST,
			    "VMX is in use by another hypervisor; stop its guests and `modprobe -r kvm_intel` (see `ovid info`)");
	if (m->part < 0)
		return fail(why, OVID_X_HOST, "cannot create a partition: %s (see `ovid info`)",
			    strerror(-m->part));
	m->stats_fd = vid_stats_fd(m->part);
	return 0;
}

/* A system that shuts down says SIGTERM to each process: the guest is stopped. */
static int watch_term(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* not as the launcher had it: VP threads inherit this, and are kicked by one */
	sigprocmask(SIG_SETMASK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int machine_create(struct machine *m, struct worker_config *config, int device,
		   struct failure *why)
{
	int ret;

	m->config = config;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->pit_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	m->rtc_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	m->term_fd = watch_term();
	if (m->wake_fd < 0 || m->pit_fd < 0 || m->rtc_fd < 0 || m->term_fd < 0)
		return fail(why, OVID_X_HOST, "cannot make an event file: %s", strerror(errno));
	ret = create_partition(m, device, why);
	if (!ret)
		ret = map_memory(m, device, why);
	if (!ret)
		ret = cpuid_setup(m->part, config->vps, &config->hv, why);
	if (!ret)
		ret = create_vps(m, why);
	if (!ret)
		ret = vmbus_create(&m->vmbus, m->part, &config->vmbus, &config->disks,
				   &config->nets, why);
	return ret;
}

/* --- what devices reach the outside by -------------------------------------- */

static void send_msi(void *arg, u64 address, u32 data)
{
	struct machine *m = arg;

	vid_inject(m->part, OVID_INJECT_MSI, address, data);
}

/* The PIC pair's output leads to VP 0, as on a PC. */
static void send_intr(void *arg, bool level)
{
	struct machine *m = arg;

	vid_inject(m->part, OVID_INJECT_EXTINT, 0, level);
}

static void arm_pit(void *arg, u64 deadline)
{
	struct machine *m = arg;
	struct itimerspec when = { 0 };
	u64 at = 0;

	if (deadline) {
		u64 soonest = vclock_now(&m->clock) + PIT_MIN_NS;

		at = (deadline > soonest ? deadline : soonest) +
		     atomic_load(&m->clock.behind);
	}
	when.it_value.tv_sec = at / NSEC_PER_SEC;
	when.it_value.tv_nsec = at % NSEC_PER_SEC;
	timerfd_settime(m->pit_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void arm_rtc(void *arg, u64 delay)
{
	struct machine *m = arg;
	const struct itimerspec when = {
		.it_value = { delay / NSEC_PER_SEC, delay % NSEC_PER_SEC },
	};

	timerfd_settime(m->rtc_fd, 0, &when, NULL);
}

static void power_event(void *arg, enum power_event event, u32 value)
{
	struct machine *m = arg;

	switch (event) {
	case POWER_OFF:
		machine_end(m, OVID_X_OFF, "%s", "");
		break;
	case POWER_REBOOT:
		machine_reboot(m);
		break;
	case POWER_DEBUG_EXIT:
		machine_end(m, (value << 1 | 1) & 0xff, "%s", "");
		break;
	}
}

static bool console_out(void *arg, u8 byte)
{
	struct machine *m = arg;

	return chario_put(&m->console, byte);
}

static void wake(void *arg)
{
	machine_wake(arg);
}

int machine_add_devices(struct machine *m, struct failure *why)
{
	bool debug_exit = m->config->flags & WORKER_DEBUG_EXIT;
	bool test_device = m->config->flags & WORKER_TEST_DEVICE;
	int ret = 0;

	chario_init(&m->console, wake, m);
	ioapic_init(&m->irqs.ioapic, send_msi, m);
	pic_init(&m->irqs.pic, send_intr, m);
	pit_init(&m->pit, &m->clock, &m->irqs, arm_pit, m);
	serial_init(&m->serial, &m->irqs, console_out, wake, m);
	cmos_init(&m->cmos, m->mem.bytes, &m->irqs, arm_rtc, m);
	fwcfg_init(&m->fwcfg, m->mem.bytes, m->nr_vps);
	power_init(&m->power, power_event, m);
	testdev_init(&m->testdev, &m->irqs);
	if (ioapic_add_to(&m->irqs.ioapic, &m->mmio) || pic_add_to(&m->irqs.pic, &m->ports) ||
	    pit_add_to(&m->pit, &m->ports) || serial_add_to(&m->serial, &m->ports) ||
	    cmos_add_to(&m->cmos, &m->ports) || fwcfg_add_to(&m->fwcfg, &m->ports) ||
	    pci_add_to(&m->pci, &m->ports) ||
	    power_add_to(&m->power, &m->ports, debug_exit) ||
	    (test_device && testdev_add_to(&m->testdev, &m->ports, &m->mmio)))
		ret = fail(why, OVID_X_HOST, "two devices at one address (a bug in ovid)");
	return ret;
}
