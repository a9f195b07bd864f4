// SPDX-License-Identifier: GPL-2.0-only
/*
 * pulse.c - moves a machine to a new partition while its devices stay: the proof that
 * all of a VP can be read and put back, and what a restore and a migration rest on.
 */
#include <stdlib.h>
#include <unistd.h>

#include "machine.h"
#include "state.h"
#include "vsock.h"

/* what takes the place of the machine's */
struct fresh {
	int part, stats_fd;
	struct vp *vp;
	unsigned int nr;	/* of @vp that are to be closed */
	struct vmbus vmbus;
	int connects;		/* -1: the machine has no sockets */
};

struct whole {
	struct state *state;
	struct vmbus_state vmbus;
};

/*
 * Interrupts and INITs that other VPs sent when a VP was out already are not in its
 * registers yet: a run that is cancelled beforehand puts them there.
 */
static int settle(struct machine *m, struct failure *why)
{
	for (unsigned int i = 0; i < m->nr_vps; i++) {
		int ret = vid_run_vp(m->vp[i].fd);

		if (ret != 1)
			return fail(why, OVID_X_HOST, "VP %u did not stop: %s", i,
				    strerror(ret < 0 ? -ret : EIO));
	}
	return 0;
}

static int files_of(const struct vp *vp, unsigned int nr, int **fds, struct failure *why)
{
	*fds = calloc(nr, sizeof(**fds));
	if (!*fds)
		return fail(why, OVID_X_HOST, "out of memory");
	for (unsigned int i = 0; i < nr; i++)
		(*fds)[i] = vp[i].fd;
	return 0;
}

static int read_vps(struct machine *m, struct whole *s, struct failure *why)
{
	int *fds, ret = files_of(m->vp, m->nr_vps, &fds, why);

	if (ret)
		return ret;
	s->state = state_read(m->part, fds, m->nr_vps, why);
	free(fds);
	return s->state ? 0 : -OVID_X_HOST;
}

static int read_all(struct machine *m, struct whole *s, struct failure *why)
{
	int ret = settle(m, why);

	if (!ret)
		ret = read_vps(m, s, why);
	if (!ret)
		ret = vmbus_save(&m->vmbus, m->part, &s->vmbus, why);
	return ret;
}

static int create_vps(struct machine *m, struct fresh *f, struct failure *why)
{
	int ret = 0;

	f->vp = calloc(m->nr_vps, sizeof(*f->vp));
	if (!f->vp)
		return fail(why, OVID_X_HOST, "out of memory");
	while (f->nr < m->nr_vps && !ret) {
		ret = vp_open(&f->vp[f->nr], f->part, f->nr, why);
		f->nr++;
	}
	return ret;
}

/*
 * As machine_create() made it, but that its time stands.  Routes, irqfds and doorbells
 * there are none: devices inject.
 */
static int build(struct machine *m, const struct whole *s, struct fresh *f, struct failure *why)
{
	int *fds, ret = vid_partition_ctrl(f->part, OVID_CTRL_PAUSE);

	if (!ret)
		ret = machine_map(m, f->part);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot give the new partition the VM's memory: %s",
			    strerror(-ret));
	f->stats_fd = vid_stats_fd(f->part);
	ret = state_write_partition(s->state, f->part, why);
	if (!ret)
		ret = create_vps(m, f, why);
	if (!ret)
		ret = files_of(f->vp, f->nr, &fds, why);
	if (ret)
		return ret;
	ret = state_write_vps(s->state, f->part, fds, why);
	free(fds);
	if (!ret)
		ret = vmbus_move(&f->vmbus, &m->vmbus, f->part, &s->vmbus, why);
	if (ret || !m->vsock)
		return ret;
	f->connects = vsock_connects(f->part, why);
	return f->connects < 0 ? f->connects : 0;
}

/* @f is the one to be closed from here on */
static void exchange(struct machine *m, struct fresh *f)
{
	const struct fresh old = { .part = m->part, .stats_fd = m->stats_fd, .vmbus = m->vmbus };

	m->part = f->part;
	m->stats_fd = f->stats_fd;
	m->vmbus = f->vmbus;
	f->part = old.part;
	f->stats_fd = old.stats_fd;
	f->vmbus = old.vmbus;
	if (m->vmbus.there)
		nets_join(m->vmbus.nets, m->vmbus.net_fd);
	for (unsigned int i = 0; i < m->nr_vps; i++) {
		const struct vp vp = m->vp[i];

		m->vp[i].fd = f->vp[i].fd;
		m->vp[i].stats_fd = f->vp[i].stats_fd;
		m->vp[i].run = f->vp[i].run;
		m->vp[i].regs = f->vp[i].regs;
		f->vp[i] = vp;
	}
}

static void discard(struct fresh *f)
{
	for (unsigned int i = 0; i < f->nr; i++)
		vp_close(&f->vp[i]);
	free(f->vp);
	vmbus_destroy(&f->vmbus);
	if (f->stats_fd >= 0)
		close(f->stats_fd);
	close(f->part);
}

/* VPs are parked, time and bus stand, sockets have no connections */
static int move_all(struct machine *m, struct fresh *f, struct failure *why)
{
	struct whole s = { NULL, { NULL, 0 } };
	int ret = read_all(m, &s, why);

	if (!ret)
		ret = build(m, &s, f, why);
	state_free(s.state);
	free(s.vmbus.buf);
	if (ret)
		return ret;
	exchange(m, f);
	/* a level, which whoever drives it says only when it changes */
	pic_repeat(&m->irqs.pic);
	return 0;
}

/*
 * What the bus gives to VPs it gives before they settle; what it has for sockets is over before
 * it is saved.
 */
static int move(struct machine *m, struct fresh *f, struct failure *why)
{
	int ret = vmbus_stop(&m->vmbus, m->part, why);

	if (ret)
		return ret;
	vsock_halt(m->vsock);
	ret = move_all(m, f, why);
	vsock_go_on(m->vsock, ret ? -1 : f->connects);
	return ret;
}

int machine_pulse(struct machine *m, int part, struct failure *why)
{
	struct fresh f = { .part = part, .stats_fd = -1, .connects = -1 };
	bool paused = m->paused;
	int ret, back = 0;

	vmbus_none(&f.vmbus);
	if (m->config->vsock_cid) {
		discard(&f);
		return fail(why, OVID_X_HOST,
			    "connections of the host's sockets do not move: not with --vsock-cid");
	}
	ret = machine_pause(m, true);
	if (ret) {
		discard(&f);
		return fail(why, OVID_X_HOST, "cannot pause the VM: %s", strerror(-ret));
	}
	machine_park(m);
	ret = move(m, &f, why);
	if (!paused)
		back = machine_pause(m, false);
	machine_release(m);
	discard(&f);	/* takes its time, and the VM runs again */
	if (back)
		return fail(why, OVID_X_HOST, "the VM is paused now: %s; try `ovid resume`",
			    strerror(-back));
	return ret;
}
