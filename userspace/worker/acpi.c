// SPDX-License-Identifier: GPL-2.0-only
/* acpi.c - see acpi.h.  Field names follow the ACPI specification, 6.4. */
#include <stdlib.h>
#include <string.h>

#include "acpi.h"
#include "dev/ioapic.h"
#include "dev/power.h"
#include "dsdt_aml.h"
#include "load.h"
#include "vmbus_aml.h"

#define LAPIC_BASE	0xFEE00000u
#define SPACE_IO	1
#define RESET_VECTOR_ROOM 16	/* below 1 MiB */

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __attribute__((packed));

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt, length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
} __attribute__((packed));

struct acpi_gas {
	u8 space, bit_width, bit_offset, access_size;
	u64 address;
} __attribute__((packed));

struct acpi_fadt {
	struct acpi_header header;
	u32 firmware_ctrl, dsdt;
	u8 reserved0, pm_profile;
	u16 sci_int;
	u8 pm1_to_pm_timer[48];		/* fixed hardware that there is none of */
	u8 p_lvl_to_century[13];
	u16 iapc_boot_arch;
	u8 reserved1;
	u32 flags;
	struct acpi_gas reset_reg;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor_revision;
	u64 x_firmware_ctrl, x_dsdt;
	struct acpi_gas x_fixed[8];
	struct acpi_gas sleep_control, sleep_status;
	u64 hypervisor_vendor;
} __attribute__((packed));

#define FADT_WBINVD		BIT(0)
#define FADT_PWR_BUTTON		BIT(4)	/* set: no fixed power button */
#define FADT_SLP_BUTTON		BIT(5)
#define FADT_RESET_REG_SUP	BIT(10)
#define FADT_HW_REDUCED		BIT(20)
#define IAPC_NO_VGA		BIT(2)

struct acpi_madt {
	struct acpi_header header;
	u32 lapic, flags;
} __attribute__((packed));

struct madt_lapic {
	u8 type, length, uid, apic_id;
	u32 flags;
} __attribute__((packed));

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, gsi_base;
} __attribute__((packed));

struct madt_override {
	u8 type, length, bus, irq;
	u32 gsi;
	u16 flags;
} __attribute__((packed));

struct madt_lapic_nmi {
	u8 type, length, uid;
	u16 flags;
	u8 lint;
} __attribute__((packed));

struct madt_x2apic {
	u8 type, length;
	u16 reserved;
	u32 apic_id, flags, uid;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "wire size");
_Static_assert(sizeof(struct acpi_rsdp) == 36, "wire size");
_Static_assert(offsetof(struct acpi_fadt, iapc_boot_arch) == 109, "wire offset");
_Static_assert(offsetof(struct acpi_fadt, sleep_control) == 244, "wire offset");
_Static_assert(sizeof(struct acpi_fadt) == 276, "wire size");

/* Tables are put one behind the other into a copy of the area. */
struct area {
	u8 bytes[LOAD_ACPI_END - LOAD_ACPI];
	u32 used;
	bool overflow;
};

static void *area_take(struct area *a, u32 len)
{
	void *at = a->bytes + a->used;

	if (len > sizeof(a->bytes) - RESET_VECTOR_ROOM - a->used) {
		a->overflow = true;
		return NULL;
	}
	a->used += len;
	return at;
}

static u64 area_gpa(const struct area *a, const void *at)
{
	return LOAD_ACPI + ((const u8 *)at - a->bytes);
}

static u8 checksum(const void *p, u32 len)
{
	const u8 *byte = p;
	u8 sum = 0;

	while (len--)
		sum += *byte++;
	return -sum;
}

static void header_init(struct acpi_header *h, const char *signature, u8 revision)
{
	memcpy(h->signature, signature, 4);
	h->revision = revision;
	memcpy(h->oem_id, "OVID  ", 6);
	memcpy(h->oem_table_id, "OVIDVM  ", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "OVID", 4);
	h->creator_revision = 1;
}

static void table_finish(struct acpi_header *h, u32 len)
{
	h->length = len;
	h->checksum = 0;
	h->checksum = checksum(h, len);
}

static struct acpi_gas io_register(u16 port)
{
	return (struct acpi_gas){
		.space = SPACE_IO, .bit_width = 8, .access_size = 1, .address = port,
	};
}

static u64 put_fadt(struct area *a, u64 dsdt)
{
	struct acpi_fadt *f = area_take(a, sizeof(*f));

	if (!f)
		return 0;
	header_init(&f->header, "FACP", 6);
	f->dsdt = dsdt;
	f->x_dsdt = dsdt;
	f->minor_revision = 4;
	f->iapc_boot_arch = IAPC_NO_VGA;
	f->flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_RESET_REG_SUP |
		   FADT_HW_REDUCED;
	f->reset_reg = io_register(POWER_RESET);
	f->reset_value = POWER_RESET_VALUE;
	f->sleep_control = io_register(POWER_SLEEP_CONTROL);
	f->sleep_status = io_register(POWER_SLEEP_STATUS);
	table_finish(&f->header, sizeof(*f));
	return area_gpa(a, f);
}

static void put_lapic(struct area *a, u32 id)
{
	if (id < 255) {
		struct madt_lapic *e = area_take(a, sizeof(*e));

		if (e)
			*e = (struct madt_lapic){ 0, sizeof(*e), id, id, 1 };
	} else {
		struct madt_x2apic *e = area_take(a, sizeof(*e));

		if (e)
			*e = (struct madt_x2apic){ 9, sizeof(*e), 0, id, 1, id };
	}
}

static void put_interrupt_sources(struct area *a)
{
	struct madt_ioapic *io = area_take(a, sizeof(*io));
	struct madt_override *timer = area_take(a, sizeof(*timer));
	struct madt_lapic_nmi *nmi = area_take(a, sizeof(*nmi));

	if (!nmi)
		return;
	*io = (struct madt_ioapic){ 1, sizeof(*io), 0, 0, IOAPIC_BASE, 0 };
	*timer = (struct madt_override){ 2, sizeof(*timer), 0, 0, 2, 0 };
	*nmi = (struct madt_lapic_nmi){ 4, sizeof(*nmi), 0xff, 0, 1 };
}

/* flags 0: a guest is not to look for a PIC; one that does finds it */
static u64 put_madt(struct area *a, unsigned int vps)
{
	struct acpi_madt *m = area_take(a, sizeof(*m));

	if (!m)
		return 0;
	header_init(&m->header, "APIC", 5);
	m->lapic = LAPIC_BASE;
	for (unsigned int i = 0; i < vps; i++)
		put_lapic(a, i);
	put_interrupt_sources(a);
	if (a->overflow)
		return 0;
	table_finish(&m->header, a->bytes + a->used - (u8 *)m);
	return area_gpa(a, m);
}

static u64 put_aml(struct area *a, const u8 *aml, u32 len)
{
	void *at = area_take(a, len);

	if (!at)
		return 0;
	memcpy(at, aml, len);
	return area_gpa(a, at);
}

static u64 put_xsdt(struct area *a, const u64 *tables, unsigned int nr)
{
	u32 len = sizeof(struct acpi_header) + nr * sizeof(*tables);
	struct acpi_header *h = area_take(a, len);

	if (!h)
		return 0;
	header_init(h, "XSDT", 1);
	memcpy(h + 1, tables, nr * sizeof(*tables));
	table_finish(h, len);
	return area_gpa(a, h);
}

static void rsdp_init(struct acpi_rsdp *rsdp, u64 xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "OVID  ", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

/*
 * All the firmware there is, at the reset vector in real mode: it resets.  Linux
 * with hardware-reduced ACPI and no EFI restarts by jumping there, and never
 * asks the reset register.
 */
static void put_reset_vector(struct area *a)
{
	static const u8 code[] = {
		0xba, POWER_RESET & 0xff, POWER_RESET >> 8,	/* mov dx, POWER_RESET */
		0xb0, POWER_RESET_VALUE,			/* mov al, POWER_RESET_VALUE */
		0xee,						/* out dx, al */
		0xf4, 0xeb, 0xfd,				/* 1: hlt; jmp 1b */
	};

	memcpy(a->bytes + sizeof(a->bytes) - RESET_VECTOR_ROOM, code, sizeof(code));
}

int acpi_build(const struct gmem *gm, unsigned int vps, bool vmbus, struct failure *why)
{
	struct area *a = calloc(1, sizeof(*a));
	struct acpi_rsdp *rsdp;
	unsigned int nr = 0;
	u64 tables[3];
	int ret = 0;

	if (!a)
		return fail(why, OVID_X_HOST, "out of memory");
	rsdp = area_take(a, 64);
	tables[nr++] = put_fadt(a, put_aml(a, dsdt_aml, sizeof(dsdt_aml)));
	area_take(a, -a->used & 15);
	tables[nr++] = put_madt(a, vps);
	area_take(a, -a->used & 15);
	if (vmbus)
		tables[nr++] = put_aml(a, vmbus_aml, sizeof(vmbus_aml));
	area_take(a, -a->used & 15);
	put_reset_vector(a);
	rsdp_init(rsdp, put_xsdt(a, tables, nr));
	if (a->overflow || gmem_write(gm, LOAD_ACPI, a->bytes, sizeof(a->bytes)))
		ret = fail(why, OVID_X_USAGE, "%u VPs do not fit into the ACPI tables; give fewer",
			   vps);
	free(a);
	return ret;
}
