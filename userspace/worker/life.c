// SPDX-License-Identifier: GPL-2.0-only
/* life.c - what VP threads ask of the main thread, and pause. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "machine.h"

void machine_wake(struct machine *m)
{
	const u64 one = 1;

	/* fails only when the counter is full, and then it is awake */
	if (write(m->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void machine_end(struct machine *m, int status, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&m->lock);
	if (m->wish != WISH_END) {
		m->wish = WISH_END;
		m->status = status;
		va_start(ap, fmt);
		vsnprintf(m->why.text, sizeof(m->why.text), fmt, ap);
		va_end(ap);
	}
	atomic_store(&m->hold, true);
	pthread_mutex_unlock(&m->lock);
	machine_wake(m);
}

void machine_want_reset(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	if (m->wish == WISH_NONE)
		m->wish = WISH_RESET;
	atomic_store(&m->hold, true);
	pthread_mutex_unlock(&m->lock);
	machine_wake(m);
}

void machine_reboot(struct machine *m)
{
	if (m->config->flags & WORKER_NO_REBOOT)
		machine_end(m, OVID_X_RESET, "%s", "");
	else
		machine_want_reset(m);
}

enum machine_wish machine_wish(struct machine *m)
{
	enum machine_wish wish;

	pthread_mutex_lock(&m->lock);
	wish = m->wish;
	pthread_mutex_unlock(&m->lock);
	return wish;
}

/* VPs are parked.  An end that was asked for meanwhile stays. */
void machine_reset_done(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	if (m->wish == WISH_RESET) {
		m->wish = WISH_NONE;
		atomic_store(&m->hold, false);
	}
	pthread_mutex_unlock(&m->lock);
}

int machine_pause(struct machine *m, bool pause)
{
	int ret;

	if (m->paused == pause)
		return 0;
	ret = vid_partition_ctrl(m->part, pause ? OVID_CTRL_PAUSE : OVID_CTRL_RESUME);
	if (ret)
		return ret;
	m->paused = pause;
	if (pause) {
		vclock_stop(&m->clock);
	} else {
		vclock_start(&m->clock);
		pit_resume(&m->pit);
		cmos_tick(&m->cmos);
	}
	return 0;
}
