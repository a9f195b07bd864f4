// SPDX-License-Identifier: GPL-2.0-only
/*
 * The components as providers: their channel's packets, their file's records, a timer.
 * What to do is decided in util.c and the services.
 *
 * Files and the channel's thread meet under one mutex.  Packets are received and sent by
 * the channel's thread alone; a file, or the timer, kicks it.  Nobody waits for the guest.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

#include "../../vmm/compat.h"
#include "ic.h"
#include "service.h"

/* packets in a row, then it is another channel's turn */
#define WORK_BUDGET	64

/* from 1601 to 1970, 100 ns */
#define EPOCH_1601	116444736000000000ull

/* the longest record */
#define MAX_RECORD	sizeof(struct ovid_ic_kvp_ip)

/**
 * struct ic_chan - a channel of a component, from attach to detach
 * @chan: channel
 * @lock: guards @ic, between files and the channel's thread; only what a ring needs is taken inside
 * @ic: what it is about
 * @timer: kicks the channel
 * @broken: closed, or the ring is of no use until the guest opens anew; the channel's thread's
 * @buf: the message that comes or goes; the channel's thread's
 */
struct ic_chan {
	struct ovid_chan *chan;
	struct mutex lock;	/* guards @ic */
	struct ovid_ic ic;
	struct timer_list timer;
	bool broken;
	u8 buf[IC_MAX_BYTES] __aligned(8);
};

/* wall and reference time at one time: a guest computes one from the other */
static struct ovid_ic_clock clock_of(const struct ic_chan *c)
{
	struct ovid_ic_clock clk;

	lockdep_assert_held(&c->lock);	/* so that @now does not go back between calls */

	preempt_disable();
	clk.wall = ktime_get_real_ns() / 100 + EPOCH_1601;
	clk.reference = ovid_chan_reference_time(c->chan);
	preempt_enable();
	clk.now = ktime_get_ns();
	return clk;
}

static void on_timer(struct timer_list *timer)
{
	ovid_chan_kick(container_of(timer, struct ic_chan, timer)->chan);
}

static void set_timer(struct ic_chan *c, const struct ovid_ic_clock *clk)
{
	u64 at = ovid_ic_wake(&c->ic);

	if (c->broken)
		return;
	if (at == IC_NEVER)
		timer_delete(&c->timer);
	else
		mod_timer(&c->timer, jiffies + 1 +
			  nsecs_to_jiffies(at > clk->now ? at - clk->now : 0));
}

/* ---- the channel's thread ------------------------------------------------------ */

static void break_off(struct ic_chan *c, const struct ovid_ic_clock *clk)
{
	c->broken = true;
	timer_delete(&c->timer);
	ovid_ic_close(&c->ic, clk);
}

/* true: there may be more */
static bool receive(struct ic_chan *c)
{
	const struct ovid_ic_clock clk = clock_of(c);
	struct ovid_packet pkt;
	int i, n;

	for (i = 0; i < WORK_BUDGET; i++) {
		n = ovid_chan_recv(c->chan, &pkt, c->buf, sizeof(c->buf));
		if (n == -EAGAIN)
			return false;
		if (n < 0 && n != -EMSGSIZE) {
			break_off(c, &clk);
			return false;
		}
		if (n < 0 || pkt.type != VMBUS_PKT_DATA)
			ovid_ic_receive(&c->ic, &clk, NULL, 0);
		else
			ovid_ic_receive(&c->ic, &clk, c->buf, n);
	}
	return true;
}

static void send(struct ic_chan *c)
{
	struct ovid_ic_clock clk = clock_of(c);
	u32 bytes;
	int err;

	while ((bytes = ovid_ic_next(&c->ic, &clk, c->buf))) {
		err = ovid_chan_send(c->chan, VMBUS_PKT_DATA, 0, 0, c->buf, bytes);
		if (err == -EAGAIN)
			break;
		if (err == -EMSGSIZE) {
			ovid_ic_refused(&c->ic, &clk);
		} else if (err) {
			break_off(c, &clk);
			break;
		} else {
			/* Linux takes one packet for each signal, and a daemon may unmask late */
			ovid_chan_signal(c->chan);
			ovid_ic_sent(&c->ic, &clk);
		}
	}
	set_timer(c, &clk);
}

static bool ic_work(struct ovid_chan *chan)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	bool more;

	guard(mutex)(&c->lock);
	if (c->broken)
		return false;
	more = receive(c);
	if (!c->broken)
		send(c);
	if (ovid_ic_has_event(&c->ic))
		ovid_chan_wake(chan);
	return more;
}

static int ic_open(struct ovid_chan *chan)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	struct ovid_ic_clock clk;

	guard(mutex)(&c->lock);
	clk = clock_of(c);
	c->broken = false;
	ovid_ic_open(&c->ic, &clk);
	ovid_chan_wake(chan);
	return 0;
}

static void ic_close(struct ovid_chan *chan)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	struct ovid_ic_clock clk;

	guard(mutex)(&c->lock);
	clk = clock_of(c);
	if (!c->broken)
		break_off(c, &clk);
	ovid_chan_wake(chan);
}

/* ---- files --------------------------------------------------------------------- */

static ssize_t ic_read(struct ovid_chan *chan, struct file *file, char __user *buf, size_t len)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	struct ovid_ic_request *req;
	union ovid_ic_event event;
	struct ovid_ic_clock clk;
	bool full;
	int n;

	scoped_guard(mutex, &c->lock) {
		clk = clock_of(c);
		full = !ovid_ic_has_room(&c->ic);
		n = ovid_ic_event(&c->ic, &clk, min_t(size_t, len, MAX_RECORD), &event, &req);
	}
	if (n < 0)
		return n;
	if (copy_to_user(buf, req ? (void *)req->bytes : &event, n))
		n = -EFAULT;
	if (req && full)
		ovid_chan_wake(chan);
	kvfree(req);
	return n;
}

static struct ovid_ic_request *make_request(u32 bytes)
{
	return kvmalloc(sizeof(struct ovid_ic_request) + bytes, GFP_KERNEL_ACCOUNT);
}

static ssize_t ic_write(struct ovid_chan *chan, struct file *file, const char __user *buf,
			size_t len)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	struct ovid_ic_request *req;
	struct ovid_ic_clock clk;
	int err;

	if (len < sizeof(struct ovid_ic_record) || len > MAX_RECORD)
		return -EINVAL;
	req = make_request(len);
	if (!req)
		return -ENOMEM;
	err = copy_from_user(req->bytes, buf, len) ? -EFAULT :
	      ovid_ic_check(c->ic.svc, ovid_ic_record(req), len);
	if (!err) {
		guard(mutex)(&c->lock);
		clk = clock_of(c);
		err = ovid_ic_submit(&c->ic, &clk, req);
	}
	if (err) {
		kvfree(req);
		return err;
	}
	ovid_chan_kick(chan);
	ovid_chan_wake(chan);	/* it may have its answer */
	return len;
}

static __poll_t ic_poll(struct ovid_chan *chan, struct file *file, struct poll_table_struct *wait)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	__poll_t mask = 0;

	ovid_chan_poll_wait(chan, file, wait);
	guard(mutex)(&c->lock);
	if (ovid_ic_has_event(&c->ic))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (ovid_ic_has_room(&c->ic))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

/* ---- offers -------------------------------------------------------------------- */

static int attach(struct ovid_chan *chan, const struct ovid_ic_service *svc)
{
	struct ic_chan *c = kvzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return -ENOMEM;
	c->chan = chan;
	c->broken = true;
	mutex_init(&c->lock);
	ovid_ic_init(&c->ic, svc);
	timer_setup(&c->timer, on_timer, 0);
	ovid_chan_set_priv(chan, c);
	return 0;
}

static void drain(struct ic_chan *c)
{
	struct ovid_ic_request *req;

	while ((req = ovid_ic_drain(&c->ic)))
		kvfree(req);
}

static void ic_detach(struct ovid_chan *chan)
{
	struct ic_chan *c = ovid_chan_priv(chan);

	timer_shutdown_sync(&c->timer);
	drain(c);
	kvfree(c);
}

/* ---- moves ---------------------------------------------------------------------- */

static u32 ic_save(struct ovid_chan *chan, void *buf, u32 room)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	struct ovid_ic_clock clk;

	guard(mutex)(&c->lock);
	clk = clock_of(c);
	return ovid_ic_save(&c->ic, &clk, buf, room);
}

static void forget(struct ic_chan *c)
{
	lockdep_assert_held(&c->lock);
	drain(c);
	ovid_ic_init(&c->ic, c->ic.svc);
	c->broken = true;
	timer_delete(&c->timer);
}

/*
 * One that is open goes on when the channel's thread comes by, which sets the timer, unless its
 * ring was broken.  Requests that came before the state are not in it.
 */
static int ic_restore(struct ovid_chan *chan, bool open, const void *buf, u32 bytes)
{
	struct ic_chan *c = ovid_chan_priv(chan);
	struct ovid_ic_clock clk;
	int err;

	guard(mutex)(&c->lock);
	if (c->ic.nr_requests)
		return -EBUSY;
	clk = clock_of(c);
	err = ovid_ic_restore(&c->ic, &clk, buf, bytes, make_request);
	if (!err && !open && c->ic.guest != OVID_IC_CLOSED)
		err = -EINVAL;
	if (err)
		forget(c);
	else
		c->broken = c->ic.guest == OVID_IC_CLOSED;
	ovid_chan_wake(chan);
	return err;
}

static void ic_forget(struct ovid_chan *chan)
{
	struct ic_chan *c = ovid_chan_priv(chan);

	guard(mutex)(&c->lock);
	forget(c);
}

/* the five parts of a GUID as they are written, in the order of the wire */
#define IC_GUID(p1, p2, p3, p4, p5)	{ .b = {					\
	(p1) & 0xff, (p1) >> 8 & 0xff, (p1) >> 16 & 0xff, (p1) >> 24 & 0xff,		\
	(p2) & 0xff, (p2) >> 8, (p3) & 0xff, (p3) >> 8, (p4) >> 8, (p4) & 0xff,		\
	(p5) >> 40 & 0xff, (p5) >> 32 & 0xff, (p5) >> 24 & 0xff, (p5) >> 16 & 0xff,	\
	(p5) >> 8 & 0xff, (p5) & 0xff } }

#define IC_PROVIDER(what, type_guid, instance_guid)				\
static int attach_##what(struct ovid_chan *chan)				\
{										\
	return attach(chan, &ovid_ic_##what##_service);				\
}										\
const struct ovid_chan_ops ovid_ic_##what = {					\
	.name = #what,								\
	.type = type_guid,							\
	.instance = instance_guid,						\
	.offer_flags = VMBUS_OFFER_ENUMERATE | VMBUS_OFFER_NAMED_PIPE,		\
	.pipe_mode = VMBUS_PIPE_MESSAGE,					\
	.attach = attach_##what,						\
	.detach = ic_detach,							\
	.open = ic_open,							\
	.close = ic_close,							\
	.work = ic_work,							\
	.read = ic_read,							\
	.write = ic_write,							\
	.poll = ic_poll,							\
	.save = ic_save,							\
	.restore = ic_restore,							\
	.forget = ic_forget,							\
}

/* instances are Hyper-V's own: a guest knows them again on another host */
#define HEARTBEAT_TYPE		IC_GUID(0x57164f39u, 0x9115, 0x4e78, 0xab55, 0x382f3bd5422dull)
#define HEARTBEAT_INSTANCE	IC_GUID(0xfd149e91u, 0x82e0, 0x4a7d, 0xafa6, 0x2a4166cbd7c0ull)
#define SHUTDOWN_TYPE		IC_GUID(0x0e0b6031u, 0x5213, 0x4934, 0x818b, 0x38d90ced39dbull)
#define SHUTDOWN_INSTANCE	IC_GUID(0xb6650ff7u, 0x33bc, 0x4840, 0x8048, 0xe0676786f393ull)
#define TIMESYNC_TYPE		IC_GUID(0x9527e630u, 0xd0ae, 0x497b, 0xadce, 0xe80ab0175cafull)
#define TIMESYNC_INSTANCE	IC_GUID(0x2dd1ce17u, 0x079e, 0x403c, 0xb352, 0xa1921ee207eeull)
#define KVP_TYPE		IC_GUID(0xa9a0f4e7u, 0x5a45, 0x4d96, 0xb827, 0x8a841e8c03e6ull)
#define KVP_INSTANCE		IC_GUID(0x242ff919u, 0x07db, 0x4180, 0x9c2e, 0xb86cb68c8c55ull)
#define VSS_TYPE		IC_GUID(0x35fa2e29u, 0xea23, 0x4236, 0x96ae, 0x3a6ebacba440ull)
#define VSS_INSTANCE		IC_GUID(0x2450ee40u, 0x33bf, 0x4fbd, 0x892e, 0x9fb06e9214cfull)
#define FCOPY_TYPE		IC_GUID(0x34d14be3u, 0xdee4, 0x41c8, 0x9ae7, 0x6b174977c192ull)
#define FCOPY_INSTANCE		IC_GUID(0xeb765408u, 0x105f, 0x49b6, 0xb4aa, 0xc123b64d17d4ull)

IC_PROVIDER(heartbeat, HEARTBEAT_TYPE, HEARTBEAT_INSTANCE);
IC_PROVIDER(shutdown, SHUTDOWN_TYPE, SHUTDOWN_INSTANCE);
IC_PROVIDER(timesync, TIMESYNC_TYPE, TIMESYNC_INSTANCE);
IC_PROVIDER(kvp, KVP_TYPE, KVP_INSTANCE);
IC_PROVIDER(vss, VSS_TYPE, VSS_INSTANCE);
IC_PROVIDER(fcopy, FCOPY_TYPE, FCOPY_INSTANCE);
