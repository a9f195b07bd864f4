/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address types and the names every file of the core knows.
 */
#ifndef OVID_TYPES_H
#define OVID_TYPES_H

#include <linux/types.h>

typedef u64 gpa_t;		/* guest physical address */
typedef u64 gfn_t;		/* gpa >> PAGE_SHIFT */
typedef unsigned long gva_t;	/* guest linear address; the same as <linux/kvm_types.h> */
typedef u64 hpa_t;		/* host physical address */

struct ovid_exit;
struct ovid_memobj;
struct ovid_partition;
struct ovid_region;
struct ovid_view;
struct ovid_vp;

#define OVID_MAX_VPS		240
#define OVID_MAX_REGIONS	512
#define OVID_MAX_GSIS		4096

#define ovid_err(fmt, ...)	pr_err_ratelimited("ovid: " fmt "\n", ##__VA_ARGS__)
#define ovid_info(fmt, ...)	pr_info_ratelimited("ovid: " fmt "\n", ##__VA_ARGS__)

#endif
