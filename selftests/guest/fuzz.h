/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h - what a VP that fuzzes stands on: accesses that may fault, interrupts of any
 * vector, and a generator of its own.
 */
#ifndef OVID_GUEST_FUZZ_H
#define OVID_GUEST_FUZZ_H

#include "hv.h"

#define MAX_FUZZERS	4
#define PAGE		4096ul
#define APIC		0xfee00000ul
#define MSR_DEADLINE	0x6e0
#define X2APIC(off)	(0x800 + ((off) >> 4))
#define BASE_ENABLE	0x800
#define BASE_X2APIC	0x400
#define BASE_BSP	0x100

/* what a VP is about and what it saw */
struct fuzz {
	struct fuzz *self;	/* at GS:0 */
	u64 state;		/* of the generator */
	u64 ops, last_time;
	u64 irqs_at;		/* count of interrupts when the last step began */
	u64 *room;		/* two pages for input */
	u64 words[512];		/* an input that is being made */
	u32 index, calls, reads, writes, touches, waits, irqs, nmis, wrong;
	u32 status[256];
	u32 good[256];		/* successes of each code */
	u32 faults[32];
	u32 vectors[256];
};

/* interrupts and exceptions from here on: those of a VP that fuzz_begin() made ready */
void fuzz_take_everything(void);
/* makes @f this VP's; the generator begins */
void fuzz_begin(struct fuzz *f, u32 index);
/* whatever was done to the APIC: x2APIC mode, nothing in service, all vectors taken */
void fuzz_fresh_apic(void);

/* ---- accesses that may fault ---- */

struct result {
	u64 value, fault;	/* fault: the vector, or 0 */
};

struct result fz_rdmsr(u32 msr);
struct result fz_wrmsr(u32 msr, u64 value);
struct result fz_load(ulong at);
struct result fz_store(ulong at, u64 value);
/* @xmm: 12 words */
struct result fz_call(u64 control, u64 in, u64 out, const u64 *xmm);

/* ---- the generator ---- */

u64 any(struct fuzz *f);	/* 56 bits */
u64 whole(struct fuzz *f);	/* 64 */
u64 odd(struct fuzz *f);	/* values at the edges of things */
u64 bits(struct fuzz *f, u32 n);	/* exactly @n, the first more often than others */
u8 vector(struct fuzz *f);
bool one_in(struct fuzz *f, u32 n);
/* one of an array */
#define pick(f, array)	((array)[any(f) % ARRAY_SIZE(array)])

#endif
