// SPDX-License-Identifier: GPL-2.0-only
/* boot.c - the state in which VP 0 enters the kernel, at start and after a reset. */
#include "acpi.h"
#include "machine.h"

#define CR0_PE		BIT(0)
#define CR0_ET		BIT(4)
#define CR0_NE		BIT(5)
#define CR0_PG		BIT(31)
#define CR4_PAE		BIT(5)
#define EFER_LME	BIT(8)
#define EFER_LMA	BIT(10)
#define RFLAGS_FIXED	BIT(1)

#define APIC_ENABLED	0x100
#define APIC_MODE_NMI	0x400
#define APIC_MODE_EXTINT 0x700

/* segment attributes as the TLFS and VMX write them */
#define ATTR_CODE64	0xa09bull
#define ATTR_CODE32	0xc09bull
#define ATTR_DATA	0xc093ull
#define ATTR_LDT	0x0082ull
#define ATTR_TSS	0x008bull

static struct ovid_reg segment(u32 name, u16 selector, u32 limit, u64 attributes)
{
	return (struct ovid_reg){
		.name = name, .high = limit | (u64)selector << 32 | attributes << 48,
	};
}

static struct ovid_reg table(u32 name, u64 base, u16 limit)
{
	return (struct ovid_reg){ .name = name, .low = (u64)limit << 48, .high = base };
}

static struct ovid_reg reg(u32 name, u64 value)
{
	return (struct ovid_reg){ .name = name, .low = value };
}

static int set_boot_state(int vp, const struct boot_state *s)
{
	u64 cr0 = CR0_PE | CR0_ET | CR0_NE | (s->long_mode ? CR0_PG : 0);
	const struct ovid_reg regs[] = {
		reg(HV_X64_REGISTER_EFER, s->long_mode ? EFER_LME | EFER_LMA : 0),
		reg(HV_X64_REGISTER_CR4, s->long_mode ? CR4_PAE : 0),
		reg(HV_X64_REGISTER_CR3, s->cr3),
		reg(HV_X64_REGISTER_CR0, cr0),
		segment(HV_X64_REGISTER_CS, LOAD_SEL_CODE, ~0u,
			s->long_mode ? ATTR_CODE64 : ATTR_CODE32),
		segment(HV_X64_REGISTER_DS, LOAD_SEL_DATA, ~0u, ATTR_DATA),
		segment(HV_X64_REGISTER_ES, LOAD_SEL_DATA, ~0u, ATTR_DATA),
		segment(HV_X64_REGISTER_SS, LOAD_SEL_DATA, ~0u, ATTR_DATA),
		segment(HV_X64_REGISTER_FS, LOAD_SEL_DATA, ~0u, ATTR_DATA),
		segment(HV_X64_REGISTER_GS, LOAD_SEL_DATA, ~0u, ATTR_DATA),
		segment(HV_X64_REGISTER_LDTR, 0, 0xffff, ATTR_LDT),
		segment(HV_X64_REGISTER_TR, 0, 0x67, ATTR_TSS),
		table(HV_X64_REGISTER_GDTR, LOAD_GDT, LOAD_GDT_LIMIT),
		table(HV_X64_REGISTER_IDTR, 0, 0),
		reg(HV_X64_REGISTER_RAX, s->rax),
		reg(HV_X64_REGISTER_RBX, s->rbx),
		reg(HV_X64_REGISTER_RCX, 0),
		reg(HV_X64_REGISTER_RDX, 0),
		reg(HV_X64_REGISTER_RSI, s->rsi),
		reg(HV_X64_REGISTER_RDI, 0),
		reg(HV_X64_REGISTER_RBP, 0),
		reg(HV_X64_REGISTER_RSP, 0),
		reg(HV_X64_REGISTER_RIP, s->rip),
		reg(HV_X64_REGISTER_RFLAGS, RFLAGS_FIXED),
	};

	return vid_set_regs(vp, regs, ARRAY_SIZE(regs));
}

/*
 * What a PC's firmware leaves behind: the APIC of VP 0 on, as a "virtual wire"
 * from the PIC pair to LINT0, NMI at LINT1.  Words of the LAPIC state are those
 * of the TLFS's local interrupt controller state.
 */
static int set_virtual_wire(int vp)
{
	static u32 state[OVID_PAGE_SIZE / 4] __attribute__((aligned(OVID_PAGE_SIZE)));
	enum { STATE_SVR = 4, STATE_LINT0 = 35, STATE_LINT1 = 36 };
	int ret = vid_get_state(vp, MSHV_VP_STATE_LAPIC, state);

	if (ret)
		return ret;
	state[STATE_SVR] |= APIC_ENABLED;
	state[STATE_LINT0] = APIC_MODE_EXTINT;
	state[STATE_LINT1] = APIC_MODE_NMI;
	return vid_set_state(vp, MSHV_VP_STATE_LAPIC, state);
}

int machine_boot(struct machine *m, struct failure *why)
{
	struct boot_state state;
	int ret = load_boot(&m->files, &m->mem, &state, why);

	if (!ret)
		ret = acpi_build(&m->mem, m->nr_vps, m->vmbus.there, why);
	if (ret)
		return ret;
	ret = set_boot_state(m->vp[0].fd, &state);
	if (!ret)
		ret = set_virtual_wire(m->vp[0].fd);
	if (ret)
		return fail(why, OVID_X_HOST, "cannot set VP 0 to the kernel's entry: %s",
			    strerror(-ret));
	return 0;
}

static void reset_devices(struct machine *m)
{
	pit_reset(&m->pit);
	cmos_reset(&m->cmos);
	pci_reset(&m->pci);
	serial_reset(&m->serial);
	pic_reset(&m->irqs.pic);
	ioapic_reset(&m->irqs.ioapic);
}

static int reset_partition(struct machine *m)
{
	bool paused = m->paused;
	int ret = machine_pause(m, true);

	if (!ret)
		ret = vid_partition_ctrl(m->part, OVID_CTRL_RESET);
	for (unsigned int i = 0; i < m->mem.nr && !ret; i++)
		ret = vid_discard_memory(m->part, m->mem.region[i].gpa,
					 m->mem.region[i].bytes);
	if (!ret && !paused)
		ret = machine_pause(m, false);
	return ret;
}

int machine_reset(struct machine *m, struct failure *why)
{
	int ret = reset_partition(m);

	if (ret)
		return fail(why, OVID_X_HOST, "cannot reset the partition: %s", strerror(-ret));
	reset_devices(m);
	return machine_boot(m, why);
}
