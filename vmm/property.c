// SPDX-License-Identifier: GPL-2.0-only
/*
 * Partition properties: one row each.  Most say what other files know; the few
 * that are only stored live in struct ovid_properties.  Locks: set runs under
 * part->lock, get under none.
 */
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include "compat.h"
#include "cpuid.h"
#include "cpuid_rules.h"
#include "hv_feature.h"
#include "msr.h"
#include "partition.h"
#include "property.h"
#include "../uapi/hvdef.h"

#define HV_PROPERTY_PRIVILEGE_FLAGS	0x00010000

struct property_row {
	u32 code;
	bool early;		/* can be set before INITIALIZE only */
	/* @part NULL: of the host, with @host only */
	bool host;
	u64 (*get)(struct ovid_partition *part);
	int (*set)(struct ovid_partition *part, u64 value);
};

/* ---- time -------------------------------------------------------------- */

/* @part NULL: the host's */
static u64 tsc_hz(struct ovid_partition *part)
{
	return (part ? part->tsc_khz : tsc_khz) * 1000ull;
}

static u64 get_reference_time(struct ovid_partition *part)
{
	return ovid_part_reference_time(part);
}

static int set_reference_time(struct ovid_partition *part, u64 value)
{
	ovid_part_set_reference_time(part, value);
	return 0;
}

static u64 get_time_freeze(struct ovid_partition *part)
{
	return READ_ONCE(part->time_frozen);
}

static int set_time_freeze(struct ovid_partition *part, u64 value)
{
	if (value > 1)
		return -EINVAL;
	if (value != part->time_frozen)
		ovid_part_time_freeze(part, value);
	return 0;
}

static u64 get_clock_frequency(struct ovid_partition *part)
{
	return tsc_hz(part);
}

/* an extension: Hyper-V lets it be read only */
static int set_clock_frequency(struct ovid_partition *part, u64 value)
{
	u64 khz = part->tsc_khz;
	int err;

	err = ovid_part_set_tsc_khz(part, value / 1000);
	if (err)
		return err;
	err = ovid_cpuid_set_clock(part);
	if (err)
		ovid_part_set_tsc_khz(part, khz);
	return err;
}

/* ---- processor --------------------------------------------------------- */

static u64 get_vendor(struct ovid_partition *part)
{
	switch (boot_cpu_data.x86_vendor) {
	case X86_VENDOR_INTEL:
		return 1;
	case X86_VENDOR_HYGON:
		return 2;
	default:
		return 0;
	}
}

static u64 get_features0(struct ovid_partition *part)
{
	return ovid_features_get(part, OVID_FEATURES_BANK0);
}

static u64 get_features1(struct ovid_partition *part)
{
	return ovid_features_get(part, OVID_FEATURES_BANK1);
}

static u64 get_xsave_features(struct ovid_partition *part)
{
	return ovid_features_get(part, OVID_FEATURES_XSAVE);
}

static u64 get_address_width(struct ovid_partition *part)
{
	if (part)
		return ovid_cpuid_phys_bits(part);
	return min_t(unsigned int, boot_cpu_data.x86_phys_bits, 48);
}

static u64 get_xsave_states(struct ovid_partition *part)
{
	return XFEATURE_MASK_FPSSE | ovid_cpuid_xcr0_allowed(part) |
	       ovid_cpuid_xss_allowed(part);
}

/* compacted; a page holds it, as vp->fpu is one */
static u64 get_xsave_size(struct ovid_partition *part)
{
	return ovid_xsave_size(get_xsave_states(part), true);
}

/* ---- stored or elsewhere ----------------------------------------------- */

static u64 get_synthetic(struct ovid_partition *part)
{
	return READ_ONCE(part->props.synthetic);
}

static int set_synthetic(struct ovid_partition *part, u64 value)
{
	int err;

	value &= ovid_hv_synthetic();
	err = ovid_cpuid_set_synthetic(part, value);
	if (!err)
		WRITE_ONCE(part->props.synthetic, value);
	return err;
}

static u64 get_assignable_synthetic(struct ovid_partition *part)
{
	return ovid_hv_synthetic();
}

/*
 * Kept for the client, and nothing follows from it: OpenVMM sets what the name says, but
 * cloud-hypervisor its threads per core.  Both tell VPs their topology by results for
 * CPUID's leaves (0x91); what the table has without them is a core a VP, in one socket.
 */
static u64 get_per_socket(struct ovid_partition *part)
{
	return READ_ONCE(part->props.per_socket);
}

static int set_per_socket(struct ovid_partition *part, u64 value)
{
	if (!value || value > U16_MAX)
		return -EINVAL;
	WRITE_ONCE(part->props.per_socket, value);
	return 0;
}

static u64 get_access_tracking(struct ovid_partition *part)
{
	return READ_ONCE(part->track.on);
}

static int set_access_tracking(struct ovid_partition *part, u64 value)
{
	if (value > 1)
		return -EINVAL;
	ovid_track_set(part, value);
	return 0;
}

/* 0: #GP, 1: writes are dropped, reads give zero; as OVID_MSR_FAULT, _IGNORE */
static u64 get_msr_action(struct ovid_partition *part)
{
	const struct ovid_msr_rules *rules;

	guard(rcu)();
	rules = rcu_dereference(part->msr_rules);
	return rules ? rules->default_action : OVID_MSR_FAULT;
}

static int set_msr_action(struct ovid_partition *part, u64 value)
{
	struct ovid_msr_policy policy = {
		.size = sizeof(policy),
		.default_action = value,
	};

	if (value > OVID_MSR_IGNORE)
		return -EINVAL;
	return ovid_msr_set_policy(part, &policy);
}

static int set_privileges(struct ovid_partition *part, u64 value)
{
	return -EACCES;
}

static const struct property_row properties[] = {
	{ HV_PROPERTY_PRIVILEGE_FLAGS, .early = true, .set = set_privileges },
	{ HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES, .early = true,
	  .get = get_synthetic, .set = set_synthetic },
	{ HV_PARTITION_PROPERTY_TIME_FREEZE,
	  .get = get_time_freeze, .set = set_time_freeze },
	{ HV_PARTITION_PROPERTY_REFERENCE_TIME,
	  .get = get_reference_time, .set = set_reference_time },
	{ HV_PARTITION_PROPERTY_PROCESSORS_PER_SOCKET,
	  .get = get_per_socket, .set = set_per_socket },
	{ HV_PARTITION_PROPERTY_GPA_PAGE_ACCESS_TRACKING,
	  .get = get_access_tracking, .set = set_access_tracking },
	{ HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION,
	  .get = get_msr_action, .set = set_msr_action },
	{ HV_PARTITION_PROPERTY_PROCESSOR_VENDOR, .host = true, .get = get_vendor },
	{ HV_PARTITION_PROPERTY_PROCESSOR_XSAVE_FEATURES, .host = true,
	  .get = get_xsave_features },
	{ HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, .host = true,
	  .get = get_address_width },
	{ HV_PARTITION_PROPERTY_XSAVE_STATES, .get = get_xsave_states },
	{ HV_PARTITION_PROPERTY_MAX_XSAVE_DATA_SIZE, .get = get_xsave_size },
	{ HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY, .host = true,
	  .get = get_clock_frequency, .set = set_clock_frequency },
	{ HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, .host = true, .get = get_features0 },
	{ HV_PARTITION_PROPERTY_PROCESSOR_FEATURES1, .host = true, .get = get_features1 },
	{ HV_PARTITION_PROPERTY_ASSIGNABLE_SYNTHETIC_PROC_FEATURES, .host = true,
	  .get = get_assignable_synthetic },
};

static const struct property_row *property_find(u32 code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(properties); i++)
		if (properties[i].code == code)
			return &properties[i];
	return NULL;
}

/* kernel-doc of these is in property.h */
int ovid_property_get(struct ovid_partition *part, u32 code, u64 *value)
{
	const struct property_row *prop = property_find(code);

	if (!prop || !prop->get)
		return -ENOENT;
	*value = prop->get(part);
	return 0;
}

int ovid_property_get_host(u32 code, u64 *value)
{
	const struct property_row *prop = property_find(code);

	if (!prop || !prop->host)
		return -ENOENT;
	*value = prop->get(NULL);
	return 0;
}

int ovid_property_set(struct ovid_partition *part, u32 code, u64 value)
{
	const struct property_row *prop = property_find(code);

	lockdep_assert_held(&part->lock);
	if (!prop)
		return -ENOENT;
	if (!prop->set)
		return -EACCES;
	if (prop->early && part->state != OVID_PART_CREATED)
		return -EBUSY;
	return prop->set(part, value);
}
