// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds the hv_message of an exit (TLFS: Intercept Messages), and fills the
 * register page with all that clients read from it: after every message the
 * general registers, RIP, RFLAGS, segments and control registers are right,
 * because clients look at neither the valid flag nor the type first.
 *
 * The page is shared with userspace.  What is read back from it goes to that
 * same userspace and is used for nothing else.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "backend.h"
#include "guestmem.h"
#include "mshv.h"
#include "partition.h"
#include "vp.h"

#define SEGMENT_DPL(a)	(((a) >> 5) & 3)

/* as page_gpr */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 };

struct hv_x64_msr_intercept_message {
	struct hv_x64_intercept_message_header header;
	u32 msr_number;
	u32 reserved;
	u64 rdx;
	u64 rax;
};

static u16 execution_state(const struct ovid_vp *vp)
{
	const struct hv_vp_register_page *page = vp->page;
	u16 state = SEGMENT_DPL(page->ss.attributes);

	if (page->cr0 & X86_CR0_PE)
		state |= HV_X64_EXEC_CR0_PE;
	if (page->cr0 & X86_CR0_AM)
		state |= HV_X64_EXEC_CR0_AM;
	if (page->efer & EFER_LMA)
		state |= HV_X64_EXEC_EFER_LMA;
	if (page->dr7 & 0xff)
		state |= HV_X64_EXEC_DEBUG_ACTIVE;
	if (vp->exit.flags & OVID_XF_EVENT)
		state |= HV_X64_EXEC_INTERRUPTION_PENDING;
	if (page->interrupt_state & 1)
		state |= HV_X64_EXEC_INTERRUPT_SHADOW;
	return state;
}

static u8 access_type(u32 flags)
{
	if (flags & OVID_XF_EXEC)
		return HV_INTERCEPT_ACCESS_EXECUTE;
	return flags & OVID_XF_WRITE ? HV_INTERCEPT_ACCESS_WRITE : HV_INTERCEPT_ACCESS_READ;
}

static void fill_header(struct ovid_vp *vp, struct hv_x64_intercept_message_header *head)
{
	head->vp_index = vp->index;
	head->instruction_length_cr8 = (vp->exit.insn_len & 0xf) |
				       (ovid_lapic_cr8(vp) & 0xf) << 4;
	head->intercept_access_type = access_type(vp->exit.flags);
	head->execution_state = execution_state(vp);
	head->cs = vp->page->cs;
	head->rip = vp->page->rip;
	head->rflags = vp->page->rflags;
}

/*
 * The instruction's bytes, from the exit or from memory.  None for a fetch that
 * itself is what went wrong.  Clients that get none ask page by page.
 */
static u8 fill_bytes(struct ovid_vp *vp, u8 bytes[16])
{
	const struct ovid_exit *x = &vp->exit;
	u8 n = min_t(u8, x->nr_bytes, sizeof(x->bytes));
	struct ovid_view view;

	if (n) {
		memcpy(bytes, x->bytes, n);
		return n;
	}
	if (x->flags & OVID_XF_EXEC)
		return 0;
	ovid_backend->view(vp, &view);
	return ovid_guest_fetch(vp->part, &view, bytes, sizeof(x->bytes), false);
}

static u8 message_io(struct ovid_vp *vp, void *payload)
{
	struct hv_x64_io_port_intercept_message *m = payload;
	const struct hv_vp_register_page *page = vp->page;
	const struct ovid_exit *x = &vp->exit;

	fill_header(vp, &m->header);
	m->port_number = x->port;
	m->access_info = x->size & 7;
	m->rax = page->gpr[RAX];
	if (x->kind == OVID_X_IO_STRING) {
		m->access_info |= BIT(3);
		if (x->flags & OVID_XF_REP)
			m->access_info |= BIT(4);
		m->instruction_byte_count = fill_bytes(vp, m->instruction_bytes);
	}
	m->ds = page->ds;
	m->es = page->es;
	m->rcx = page->gpr[RCX];
	m->rsi = page->gpr[RSI];
	m->rdi = page->gpr[RDI];
	return sizeof(*m);
}

static u8 message_memory(struct ovid_vp *vp, void *payload)
{
	struct hv_x64_memory_intercept_message *m = payload;
	const struct ovid_exit *x = &vp->exit;

	fill_header(vp, &m->header);
	m->cache_type = 6;	/* write-back; clients do not look */
	m->instruction_byte_count = fill_bytes(vp, m->instruction_bytes);
	if (x->flags & OVID_XF_GVA_VALID)
		m->memory_access_info |= BIT(0);
	if (x->flags & OVID_XF_GVA_GPA)
		m->memory_access_info |= BIT(1);
	m->tpr_priority = ovid_lapic_cr8(vp);
	m->guest_virtual_address = x->gva;
	m->guest_physical_address = x->gpa;
	return sizeof(*m);
}

static u8 message_eoi(struct ovid_vp *vp, void *payload)
{
	struct hv_x64_apic_eoi_message *m = payload;

	m->vp_index = vp->index;
	m->interrupt_vector = vp->exit.vector;
	return sizeof(*m);
}

static u8 message_hypercall(struct ovid_vp *vp, void *payload)
{
	struct hv_x64_hypercall_intercept_message *m = payload;
	const u64 *gpr = vp->page->gpr;

	fill_header(vp, &m->header);
	m->rax = gpr[RAX];
	m->rbx = gpr[RBX];
	m->rcx = gpr[RCX];
	m->rdx = gpr[RDX];
	m->r8 = gpr[R8];
	m->rsi = gpr[RSI];
	m->rdi = gpr[RDI];
	ovid_backend->xmm_get(vp, m->xmm);
	return sizeof(*m);
}

static u8 message_deliverable(struct ovid_vp *vp, void *payload)
{
	struct hv_x64_synic_sint_deliverable_message *m = payload;

	fill_header(vp, &m->header);
	m->deliverable_sints = vp->exit.value;
	return sizeof(*m);
}

static u8 message_header_only(struct ovid_vp *vp, void *payload)
{
	fill_header(vp, payload);
	return sizeof(struct hv_x64_intercept_message_header);
}

/* Only for a client that asked by OVID_SET_MSR_POLICY. */
static u8 message_msr(struct ovid_vp *vp, void *payload)
{
	struct hv_x64_msr_intercept_message *m = payload;

	fill_header(vp, &m->header);
	m->msr_number = vp->exit.msr;
	m->rdx = vp->page->gpr[RDX];
	m->rax = vp->page->gpr[RAX];
	return sizeof(*m);
}

struct message {
	u32 type;
	u8 (*fill)(struct ovid_vp *vp, void *payload);	/* returns the payload's size */
};

static const struct message messages[] = {
	[OVID_X_IO]		= { HVMSG_X64_IO_PORT_INTERCEPT, message_io },
	[OVID_X_IO_STRING]	= { HVMSG_X64_IO_PORT_INTERCEPT, message_io },
	[OVID_X_MEM]		= { HVMSG_UNMAPPED_GPA, message_memory },
	[OVID_X_EOI]		= { HVMSG_X64_APIC_EOI, message_eoi },
	[OVID_X_SHUTDOWN]	= { HVMSG_UNRECOVERABLE_EXCEPTION, message_header_only },
	[OVID_X_MSR]		= { HVMSG_X64_MSR_INTERCEPT, message_msr },
	/* clients know no other message for a VM that is to start over */
	[OVID_X_RESET]		= { HVMSG_UNRECOVERABLE_EXCEPTION, message_header_only },
	[OVID_X_HYPERCALL]	= { HVMSG_HYPERCALL_INTERCEPT, message_hypercall },
	[OVID_X_DELIVERABLE]	= { HVMSG_SYNIC_SINT_DELIVERABLE, message_deliverable },
	[OVID_X_FAIL]		= { HVMSG_INVALID_VP_REGISTER_VALUE, message_header_only },
};

void ovid_mshv_page_in(struct ovid_vp *vp)
{
	u32 dirty = READ_ONCE(vp->page->dirty);

	if (!dirty)
		return;
	WRITE_ONCE(vp->page->dirty, 0);
	ovid_backend->page_fold(vp, dirty);
}

int ovid_mshv_message(struct ovid_vp *vp, struct hv_message *msg)
{
	const struct message *row;

	memset(msg, 0, sizeof(*msg));
	if (vp->exit.kind >= ARRAY_SIZE(messages) || !messages[vp->exit.kind].fill)
		return -EIO;
	row = &messages[vp->exit.kind];
	ovid_backend->page_fill(vp, OVID_WANT_RIP | OVID_WANT_SREGS);
	msg->header.message_type = row->type;
	if (vp->exit.kind == OVID_X_MEM && vp->exit.flags & OVID_XF_READONLY)
		msg->header.message_type = HVMSG_GPA_INTERCEPT;
	msg->header.payload_size = row->fill(vp, msg->payload);
	return 0;
}
