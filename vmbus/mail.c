// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control messages: those of the guest wait in a short ring until the thread has time
 * for them, those for it in a list until its slot is empty.
 */
#include <linux/cleanup.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "server.h"
#include "trace.h"

/* ---- from the guest ---- */

static struct ovid_vmbus_port *of_port(struct ovid_port *port)
{
	return container_of(port, struct ovid_vmbus_port, port);
}

static int mail_post(struct ovid_port *port, struct ovid_vp *vp, const struct hv_message *msg)
{
	struct ovid_vmbus *vmbus = of_port(port)->vmbus;
	struct ovid_vmbus_mail *mail;

	if (msg->header.message_type != VMBUS_MESSAGE_TYPE)
		return HV_STATUS_INVALID_PARAMETER;
	scoped_guard(spinlock_irqsave, &vmbus->in_lock) {
		if (vmbus->in_count == OVID_VMBUS_IN_DEPTH) {
			vmbus->counts.messages_full++;
			return HV_STATUS_INSUFFICIENT_BUFFERS;
		}
		mail = &vmbus->in[(vmbus->in_first + vmbus->in_count) % OVID_VMBUS_IN_DEPTH];
		mail->connection = of_port(port)->connection;
		mail->bytes = msg->header.payload_size;
		memcpy(mail->data, msg->payload, sizeof(mail->data));
		vmbus->in_count++;
	}
	ovid_vmbus_wake(vmbus);
	return HV_STATUS_SUCCESS;
}

/* the event port of guests that say in a page which channel they mean */
static int event_signal(struct ovid_port *port, struct ovid_vp *vp, unsigned int flag)
{
	struct ovid_vmbus *vmbus = of_port(port)->vmbus;

	if (flag)
		return HV_STATUS_INVALID_PARAMETER;
	set_bit(OVID_SCAN_INTERRUPT, &vmbus->scan);
	ovid_vmbus_wake(vmbus);
	return HV_STATUS_SUCCESS;
}

/* ports live as long as the bus */
static void port_removed(struct ovid_port *port)
{
}

static const struct ovid_port_ops mail_ops = {
	.post = mail_post,
	.removed = port_removed,
};

static const struct ovid_port_ops event_ops = {
	.signal = event_signal,
	.removed = port_removed,
};

bool ovid_mail_take(struct ovid_vmbus *vmbus, struct ovid_vmbus_mail *mail)
{
	guard(spinlock_irqsave)(&vmbus->in_lock);
	if (!vmbus->in_count)
		return false;
	*mail = vmbus->in[vmbus->in_first];
	vmbus->in_first = (vmbus->in_first + 1) % OVID_VMBUS_IN_DEPTH;
	vmbus->in_count--;
	return true;
}

void ovid_mail_forget(struct ovid_vmbus *vmbus)
{
	guard(spinlock_irqsave)(&vmbus->in_lock);
	vmbus->in_count = 0;
}

/* ---- to the guest ---- */

struct out_message {
	struct list_head node;
	u32 vp;
	u8 sint;
	struct hv_message msg;
};

static void forget_first(struct ovid_vmbus *vmbus)
{
	struct out_message *m = list_first_entry(&vmbus->out, struct out_message, node);

	list_del(&m->node);
	vmbus->out_count--;
	kfree(m);
}

/*
 * As many as there is room for.  The one that finds its slot full has told the guest to write
 * EOM when it is empty (synic.c), which brings us back here.
 */
void ovid_mail_deliver(struct ovid_vmbus *vmbus)
{
	struct out_message *m;
	int err;

	if (list_empty_careful(&vmbus->out))
		return;
	guard(spinlock_irqsave)(&vmbus->out_lock);
	while (!list_empty(&vmbus->out) && !vmbus->stands) {
		m = list_first_entry(&vmbus->out, struct out_message, node);
		err = ovid_guest_post(vmbus->part, m->vp, m->sint, &m->msg);
		if (err == -EBUSY || err == -EAGAIN)
			return;
		forget_first(vmbus);
	}
}

static void note_post(struct ovid_vmbus *vmbus, const void *msg, u32 bytes)
{
	const struct vmbus_w_header *h = msg;

	trace_bus_message_out(vmbus, msg, bytes);
	vmbus->counts.messages_out++;
	if (h->type == VMBUS_RESCIND)
		vmbus->counts.rescinds++;
}

void ovid_mail_post(struct ovid_bus *bus, const void *msg, u32 bytes)
{
	struct ovid_vmbus *vmbus = bus->ctx;
	struct out_message *m;

	if (ovid_fault_message_out(vmbus, msg, bytes))
		return;
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	note_post(vmbus, msg, bytes);
	if (!m) {
		WRITE_ONCE(vmbus->out_lost, true);
		return;
	}
	m->vp = bus->target_vp;
	m->sint = bus->sint;
	m->msg.header.message_type = VMBUS_MESSAGE_TYPE;
	m->msg.header.payload_size = bytes;
	memcpy(m->msg.payload, msg, bytes);
	scoped_guard(spinlock_irqsave, &vmbus->out_lock) {
		list_add_tail(&m->node, &vmbus->out);
		if (++vmbus->out_count > OVID_VMBUS_OUT_MAX)
			vmbus->out_lost = true;
	}
	ovid_mail_deliver(vmbus);
}

void ovid_mail_drop_posts(struct ovid_bus *bus)
{
	struct ovid_vmbus *vmbus = bus->ctx;

	guard(spinlock_irqsave)(&vmbus->out_lock);
	while (!list_empty(&vmbus->out))
		forget_first(vmbus);
	vmbus->out_lost = false;
}

/* ---- moves ---- */

static void put_mail(struct ovid_saving *to, u32 type, u32 index, struct ovid_save_mail mail,
		     const void *data)
{
	struct ovid_save_mail *s = ovid_saving_section(to, type, index, sizeof(*s));

	if (!s)
		return;
	*s = mail;
	memcpy(s->data, data, mail.bytes);
}

/* while nothing is delivered, messages for the guest come and go under vmbus->lock */
void ovid_mail_save(struct ovid_vmbus *vmbus, struct ovid_saving *to)
{
	struct ovid_vmbus_mail *in;
	struct out_message *m;
	u32 i;

	lockdep_assert_held(&vmbus->lock);
	scoped_guard(spinlock_irqsave, &vmbus->in_lock) {
		for (i = 0; i < vmbus->in_count; i++) {
			in = &vmbus->in[(vmbus->in_first + i) % OVID_VMBUS_IN_DEPTH];
			put_mail(to, OVID_SAVE_TO_HOST, i, (struct ovid_save_mail) {
				.connection = in->connection, .bytes = in->bytes }, in->data);
		}
	}
	i = 0;
	list_for_each_entry(m, &vmbus->out, node)
		put_mail(to, OVID_SAVE_TO_GUEST, i++, (struct ovid_save_mail) {
			.vp = m->vp, .sint = m->sint, .bytes = m->msg.header.payload_size,
			}, m->msg.payload);
}

/* the guest's messages go into the ring at once: it is nobody's yet */
static int read_in(struct ovid_vmbus *vmbus, struct ovid_saved *from)
{
	const struct ovid_save_mail *s;
	struct ovid_vmbus_mail *mail;
	struct ovid_save_head head;

	guard(spinlock_irqsave)(&vmbus->in_lock);
	if (vmbus->in_count)
		return -EBUSY;
	while ((s = ovid_saved_next(from, OVID_SAVE_TO_HOST, sizeof(*s), &head))) {
		if (vmbus->in_count == OVID_VMBUS_IN_DEPTH || s->bytes > sizeof(s->data))
			return -EINVAL;
		mail = &vmbus->in[(vmbus->in_first + vmbus->in_count++) % OVID_VMBUS_IN_DEPTH];
		mail->connection = s->connection;
		mail->bytes = s->bytes;
		memcpy(mail->data, s->data, sizeof(mail->data));
	}
	return 0;
}

static int read_out(struct ovid_saved *from, struct list_head *mail)
{
	const struct ovid_save_mail *s;
	struct ovid_save_head head;
	struct out_message *m;
	u32 nr = 0;

	while ((s = ovid_saved_next(from, OVID_SAVE_TO_GUEST, sizeof(*s), &head))) {
		if (nr++ == OVID_VMBUS_OUT_MAX || s->bytes > sizeof(s->data) || s->sint > U8_MAX)
			return -EINVAL;
		m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
		if (!m)
			return -ENOMEM;
		m->vp = s->vp;
		m->sint = s->sint;
		m->msg.header.message_type = VMBUS_MESSAGE_TYPE;
		m->msg.header.payload_size = s->bytes;
		memcpy(m->msg.payload, s->data, s->bytes);
		list_add_tail(&m->node, mail);
	}
	return 0;
}

int ovid_mail_read(struct ovid_vmbus *vmbus, struct ovid_saved *from, struct list_head *mail)
{
	int err = read_in(vmbus, from);

	if (err == -EBUSY)
		return err;
	err = err ?: read_out(from, mail);
	if (err)
		ovid_mail_forget(vmbus);
	return err;
}

void ovid_mail_restore(struct ovid_vmbus *vmbus, struct list_head *mail)
{
	struct list_head *each;

	guard(spinlock_irqsave)(&vmbus->out_lock);
	list_for_each(each, mail)
		vmbus->out_count++;
	list_splice_tail_init(mail, &vmbus->out);
}

void ovid_mail_free(struct list_head *mail)
{
	struct out_message *m, *next;

	list_for_each_entry_safe(m, next, mail, node)
		kfree(m);
	INIT_LIST_HEAD(mail);
}

/* ---- life ---- */

static int add_port(struct ovid_vmbus *vmbus, unsigned int i, u32 connection,
		    const struct ovid_port_ops *ops)
{
	struct ovid_vmbus_port *port = &vmbus->ports[i];
	int err;

	port->port.ops = ops;
	port->vmbus = vmbus;
	port->connection = connection;
	err = ovid_port_add(vmbus->part, connection, &port->port);
	if (err)
		port->connection = 0;
	return err;
}

int ovid_mail_init(struct ovid_vmbus *vmbus)
{
	int err;

	err = add_port(vmbus, 0, VMBUS_CONN_LEGACY, &mail_ops);
	err = err ?: add_port(vmbus, 1, VMBUS_CONN_MESSAGE, &mail_ops);
	err = err ?: add_port(vmbus, 2, VMBUS_CONN_EVENT, &event_ops);
	if (err)
		ovid_mail_fini(vmbus);
	return err;
}

void ovid_mail_fini(struct ovid_vmbus *vmbus)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmbus->ports); i++)
		if (vmbus->ports[i].connection)
			ovid_port_remove(vmbus->part, vmbus->ports[i].connection,
					 &vmbus->ports[i].port);
	/* a hypercall that has found one may still be in it */
	synchronize_rcu();
}
