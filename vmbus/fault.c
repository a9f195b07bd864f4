// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on request: rules from debugfs, and what they do at the few places that ask (fault.h).
 *
 * A delay sleeps with vmbus->lock held: all that the host does for this bus waits, nothing is
 * overtaken.
 */
#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/lockdep.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "server.h"
#include "trace.h"

/* ---- rules ---- */

/* what a new bus begins with: the module's parameter */
static struct ovid_faults usual = {
	.lock = __SPIN_LOCK_UNLOCKED(usual.lock),
};

/* adds the lines of @text to those there, all or none; "clear" drops what is before it */
static int add_rules(struct ovid_faults *faults, char *text)
{
	struct ovid_faults *next __free(kfree) = kzalloc(sizeof(*next), GFP_KERNEL_ACCOUNT);
	char *line;

	if (!next)
		return -ENOMEM;
	scoped_guard(spinlock, &faults->lock) {
		next->nr = faults->nr;
		memcpy(next->rule, faults->rule, sizeof(next->rule));
	}
	while ((line = strsep(&text, "\n;"))) {
		line = strim(line);
		if (!*line)
			continue;
		if (!strcmp(line, "clear")) {
			next->nr = 0;
			continue;
		}
		if (next->nr == OVID_FAULT_RULES)
			return -ENOSPC;
		if (ovid_fault_parse(line, &next->rule[next->nr]))
			return -EINVAL;
		next->nr++;
	}
	guard(spinlock)(&faults->lock);
	faults->nr = next->nr;
	memcpy(faults->rule, next->rule, sizeof(next->rule));
	return 0;
}

/* the rule that is due; its copy in @due.  Each that fits counts, the first one counts most */
static bool ask(struct ovid_vmbus *vmbus, const struct ovid_fault_event *event,
		struct ovid_fault_rule *due)
{
	struct ovid_faults *faults = &vmbus->faults;
	bool found = false;
	u32 i;

	if (!READ_ONCE(faults->nr))
		return false;
	guard(spinlock)(&faults->lock);
	for (i = 0; i < faults->nr; i++) {
		if (!ovid_fault_due(&faults->rule[i], event) || found)
			continue;
		*due = faults->rule[i];
		found = true;
	}
	return found;
}

static struct ovid_chan *chan_of(struct ovid_vmbus *vmbus, u32 relid)
{
	struct ovid_bus_chan *bc = relid <= OVID_BUS_MAX_RELID ? vmbus->bus.chan[relid] : NULL;

	return bc ? ovid_chan_of(bc) : NULL;
}

/* ---- messages ---- */

/* the thread does it: an effect may not call the bus */
static void mark(struct ovid_chan *chan)
{
	WRITE_ONCE(chan->to_rescind, true);
	set_bit(0, &chan->vmbus->faults.rescind);
	ovid_vmbus_wake(chan->vmbus);
}

/* true: it is lost; @chan: what it is about, or NULL */
static bool message(struct ovid_vmbus *vmbus, enum ovid_fault_where where, const void *msg,
		    u32 bytes, struct ovid_chan **chan)
{
	const struct vmbus_w_header *h = msg;
	struct ovid_fault_event event = {
		.where = where, .type = bytes < sizeof(*h) ? 0 : h->type,
	};
	struct ovid_fault_rule due;

	lockdep_assert_held(&vmbus->lock);
	*chan = NULL;
	if (!READ_ONCE(vmbus->faults.nr))
		return false;
	event.relid = ovid_fault_relid(msg, bytes);
	*chan = chan_of(vmbus, event.relid);
	event.provider = *chan ? ovid_chan_provider(*chan) : "";
	event.what = OVID_FAULT_DELAY;
	if (ask(vmbus, &event, &due))
		msleep(due.ms);
	event.what = OVID_FAULT_RESCIND;
	if (*chan && ask(vmbus, &event, &due))
		mark(*chan);
	event.what = OVID_FAULT_DROP;
	return ask(vmbus, &event, &due);
}

static struct ovid_chan *next_marked(struct ovid_vmbus *vmbus)
{
	struct ovid_chan *chan;

	list_for_each_entry(chan, &vmbus->channels, node)
		if (READ_ONCE(chan->to_rescind))
			return chan;
	return NULL;
}

/* its file stays, and finds it revoked; one that the guest was not told of stays as it is */
static void rescind_marked(struct ovid_vmbus *vmbus)
{
	struct ovid_chan *chan;

	lockdep_assert_held(&vmbus->lock);
	if (!test_and_clear_bit(0, &vmbus->faults.rescind))
		return;
	while ((chan = next_marked(vmbus))) {
		WRITE_ONCE(chan->to_rescind, false);
		if (!chan->bc.offered || chan->bc.revoked)
			continue;
		trace_chan_rescind(chan, 0);
		ovid_bus_revoke(&vmbus->bus, &chan->bc);
	}
}

/* a channel goes before the message is handled */
bool ovid_fault_message_in(struct ovid_vmbus *vmbus, const struct ovid_vmbus_mail *mail)
{
	struct ovid_chan *chan;
	bool lost = message(vmbus, OVID_FAULT_IN, mail->data, mail->bytes, &chan);

	rescind_marked(vmbus);
	return lost;
}

/* and goes after it */
bool ovid_fault_message_out(struct ovid_vmbus *vmbus, const void *msg, u32 bytes)
{
	struct ovid_chan *chan;

	return message(vmbus, OVID_FAULT_OUT, msg, bytes, &chan);
}

bool ovid_fault_pending(const struct ovid_vmbus *vmbus)
{
	return test_bit(0, &vmbus->faults.rescind);
}

void ovid_fault_rescind(struct ovid_vmbus *vmbus)
{
	if (!ovid_fault_pending(vmbus))
		return;
	guard(mutex)(&vmbus->lock);
	rescind_marked(vmbus);
}

/* ---- opens and GPADLs ---- */

static int refuse(struct ovid_vmbus *vmbus, enum ovid_fault_where where, u32 relid)
{
	struct ovid_chan *chan = chan_of(vmbus, relid);
	struct ovid_fault_event event = {
		.what = OVID_FAULT_REFUSE, .where = where, .relid = relid,
		.provider = chan ? ovid_chan_provider(chan) : "",
	};
	struct ovid_fault_rule due;

	lockdep_assert_held(&vmbus->lock);
	return ask(vmbus, &event, &due) ? -EIO : 0;
}

int ovid_fault_open(struct ovid_chan *chan)
{
	return refuse(chan->vmbus, OVID_FAULT_OPEN, chan->bc.relid);
}

int ovid_fault_gpadl(struct ovid_vmbus *vmbus, const struct ovid_gpadl *gpadl)
{
	return refuse(vmbus, OVID_FAULT_GPADL, gpadl->relid);
}

/* ---- packets ---- */

static bool packet(struct ovid_chan *chan, enum ovid_fault_what what, struct ovid_fault_rule *due)
{
	struct ovid_fault_event event = {
		.what = what, .where = OVID_FAULT_PACKET, .relid = chan->bc.relid,
		.provider = ovid_chan_provider(chan),
	};

	lockdep_assert_held(&chan->lock);
	return ask(chan->vmbus, &event, due);
}

/* the one that is due is not taken, nor any behind it */
bool ovid_fault_packet_in(struct ovid_chan *chan)
{
	struct ovid_fault_rule due;

	if (!READ_ONCE(chan->to_rescind) && packet(chan, OVID_FAULT_RESCIND, &due))
		mark(chan);
	return READ_ONCE(chan->to_rescind);
}

void ovid_fault_packet_out(struct ovid_chan *chan, int err, u32 payload)
{
	u32 bytes = ovid_ring_packet_bytes(0, payload), at;
	struct ovid_fault_rule due;

	if (err || !packet(chan, OVID_FAULT_CORRUPT, &due))
		return;
	at = chan->out.at >= bytes ? chan->out.at - bytes : chan->out.at + chan->out.size - bytes;
	ovid_fault_spoil(&due, (struct vmbus_w_packet *)(chan->out.data + at), payload);
}

/* ---- debugfs, and the parameter ---- */

static int show_rules(struct ovid_faults *faults, char *buf, int size)
{
	const struct ovid_fault_rule *rule;
	int n = 0;
	u32 i;

	guard(spinlock)(&faults->lock);
	for (i = 0; i < faults->nr; i++) {
		rule = &faults->rule[i];
		n += scnprintf(buf + n, size - n, "%s (seen %llu, done %llu)\n", rule->text,
			       rule->seen, rule->done);
	}
	return n;
}

static int faults_show(struct seq_file *m, void *unused)
{
	char *buf __free(kfree) = kzalloc(PAGE_SIZE, GFP_KERNEL);

	if (!buf)
		return -ENOMEM;
	show_rules(m->private, buf, PAGE_SIZE);
	seq_puts(m, buf);
	return 0;
}

static int faults_open(struct inode *inode, struct file *file)
{
	return single_open(file, faults_show, inode->i_private);
}

static ssize_t faults_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct ovid_faults *faults = ((struct seq_file *)file->private_data)->private;
	char *text;
	int err;

	if (len >= PAGE_SIZE)
		return -E2BIG;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = add_rules(faults, text);
	kfree(text);
	return err ?: len;
}

static const struct file_operations faults_fops = {
	.owner = THIS_MODULE,
	.open = faults_open,
	.read = seq_read,
	.write = faults_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int set_usual(const char *value, const struct kernel_param *kp)
{
	char *text __free(kfree) = kstrdup(value, GFP_KERNEL);

	return text ? add_rules(&usual, text) : -ENOMEM;
}

static int get_usual(char *buf, const struct kernel_param *kp)
{
	return show_rules(&usual, buf, PAGE_SIZE);
}

static const struct kernel_param_ops usual_ops = {
	.set = set_usual,
	.get = get_usual,
};

module_param_cb(faults, &usual_ops, NULL, 0600);
MODULE_PARM_DESC(faults, "faults that VMBuses of new partitions begin with");

void ovid_faults_init(struct ovid_vmbus *vmbus)
{
	struct ovid_faults *faults = &vmbus->faults;

	spin_lock_init(&faults->lock);
	scoped_guard(spinlock, &usual.lock) {
		memcpy(faults->rule, usual.rule, sizeof(faults->rule));
		faults->nr = usual.nr;
	}
	debugfs_create_file("faults", 0600, ovid_bus_debugfs(vmbus->part), faults, &faults_fops);
}
