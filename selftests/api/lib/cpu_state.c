// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register states in which guests begin, and the tables they need:
 *	0x6000	GDT: null, flat code (by mode), flat data
 *	0x10000	page tables: everything below 4 GiB is mapped one to one, user
 *		and writable, in large pages
 */
#include <signal.h>
#include <string.h>

#include "mach.h"

#define GDT	0x6000
#define PT	0x10000
#define STACK	0x90000

#define CODE16	0x009b
#define DATA16	0x0093
#define CODE32	0xc09b
#define DATA32	0xc093
#define CODE64	0xa09b

#define P_RWU	0x07ull
#define P_LARGE	0x80ull

static void flat(struct mach_cpu *cpu, uint8_t *ram, uint16_t code)
{
	uint64_t *gdt = (uint64_t *)(ram + GDT);
	struct mach_seg data = { 0, ~0u, 16, DATA32 };

	gdt[0] = 0;
	gdt[1] = 0x000f00000000ffffull | (uint64_t)code << 40;
	gdt[2] = 0x000f00000000ffffull | (uint64_t)DATA32 << 40;
	cpu->gdt_base = GDT;
	cpu->gdt_limit = 23;
	cpu->cs = (struct mach_seg){ 0, ~0u, 8, code };
	cpu->ds = cpu->es = cpu->ss = cpu->fs = cpu->gs = data;
}

static void common(struct mach_cpu *cpu, uint64_t rip)
{
	memset(cpu, 0, sizeof(*cpu));
	cpu->rip = rip;
	cpu->rflags = 2;
	cpu->gpr[4] = STACK;
	cpu->tr = (struct mach_seg){ 0, 0xffff, 0, 0x8b };
	cpu->ldtr = (struct mach_seg){ 0, 0xffff, 0, 0x82 };
	cpu->cr0 = 0x10;
}

void mach_real_mode(struct mach_cpu *cpu, uint16_t ip)
{
	common(cpu, ip);
	cpu->gpr[4] = 0x6000;
	cpu->cs = (struct mach_seg){ 0, 0xffff, 0, CODE16 };
	cpu->ds = (struct mach_seg){ 0, 0xffff, 0, DATA16 };
	cpu->es = cpu->ss = cpu->fs = cpu->gs = cpu->ds;
	cpu->idt_limit = 0x3ff;
	cpu->gdt_limit = 0xffff;
}

void mach_protected(struct mach_cpu *cpu, uint8_t *ram, uint32_t eip)
{
	common(cpu, eip);
	flat(cpu, ram, CODE32);
	cpu->cr0 |= 1;
}

void mach_paged32(struct mach_cpu *cpu, uint8_t *ram, uint32_t eip)
{
	uint32_t *pd = (uint32_t *)(ram + PT);

	mach_protected(cpu, ram, eip);
	for (uint32_t i = 0; i < 1024; i++)
		pd[i] = i << 22 | P_LARGE | P_RWU;
	cpu->cr3 = PT;
	cpu->cr4 = 0x10;		/* PSE */
	cpu->cr0 |= 1u << 31;
}

static void tables(uint8_t *ram, uint64_t pdpt, uint64_t top)
{
	uint64_t *p = (uint64_t *)(ram + PT + pdpt);
	uint64_t *d = (uint64_t *)(ram + PT + 0x2000);

	for (uint64_t i = 0; i < 4; i++)
		p[i] = (PT + 0x2000 + i * 0x1000) | top;
	for (uint64_t i = 0; i < 4 * 512; i++)
		d[i] = i << 21 | P_LARGE | P_RWU;
}

void mach_pae(struct mach_cpu *cpu, uint8_t *ram, uint32_t eip)
{
	mach_protected(cpu, ram, eip);
	tables(ram, 0, 1);
	cpu->cr3 = PT;
	cpu->cr4 = 0x20;		/* PAE */
	cpu->cr0 |= 1u << 31;
}

void mach_long_mode(struct mach_cpu *cpu, uint8_t *ram, uint64_t rip)
{
	uint64_t *pml4 = (uint64_t *)(ram + PT);

	common(cpu, rip);
	flat(cpu, ram, CODE64);
	pml4[0] = (PT + 0x1000) | P_RWU;
	tables(ram, 0x1000, P_RWU);
	cpu->cr3 = PT;
	cpu->cr4 = 0x20;
	cpu->cr0 |= 1u << 31 | 1;
	cpu->efer = 0x500;		/* LME, LMA */
}

static void nothing(int sig)
{
	(void)sig;
}

void mach_init_signals(void)
{
	struct sigaction sa = { .sa_handler = nothing };

	sigaction(SIGUSR1, &sa, NULL);
}
