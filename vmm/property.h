/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Partition properties (TLFS: Partition Properties) by number: one table for
 * OVID_GET/SET_PROPERTY and the property hypercalls of mshv clients.
 */
#ifndef OVID_PROPERTY_H
#define OVID_PROPERTY_H

#include "types.h"

/**
 * struct ovid_properties - what properties only store; zero at creation
 * @synthetic:		synthetic processor features: requested and supported
 * @per_socket:		processors per socket, 0: never set
 * @intercepts:		mshv: intercept types that were installed, by bit; atomic
 */
struct ovid_properties {
	u64 synthetic;
	u32 per_socket;
	unsigned long intercepts;
};

/* feature words of a partition or of the host; the sets are in feature.c */
enum ovid_feature_set {
	OVID_FEATURES_BANK0,	/* HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0 */
	OVID_FEATURES_BANK1,
	OVID_FEATURES_XSAVE,	/* ..._PROCESSOR_XSAVE_FEATURES */
	OVID_NR_FEATURE_SETS,
};

/*
 * ovid_property_get - reads a property; any context that may sleep, no lock
 * ovid_property_set - part->lock held
 * ovid_property_get_host - what the host could offer
 *
 * 0; -ENOENT: no such property; -EBUSY: only before the partition is
 * initialized; -EACCES: cannot be set; -EINVAL: value out of range;
 * -EOPNOTSUPP: known and valid, not offered; -ENOMEM.
 */
int ovid_property_get(struct ovid_partition *part, u32 code, u64 *value);
int ovid_property_set(struct ovid_partition *part, u32 code, u64 value);
int ovid_property_get_host(u32 code, u64 *value);

/* feature.c: features now in the CPUID table; part NULL: in the host's CPUID */
u64 ovid_features_get(struct ovid_partition *part, enum ovid_feature_set set);
/*
 * Takes the features whose bits are set in @disabled out of the CPUID table.
 * Before any VP exists; sleeps.  What the table does not have is no error.
 * Returns 0 or -ENOMEM.
 */
int ovid_features_disable(struct ovid_partition *part,
			  const u64 disabled[OVID_NR_FEATURE_SETS]);

#endif
