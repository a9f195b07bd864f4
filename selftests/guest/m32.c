// SPDX-License-Identifier: GPL-2.0-only
/*
 * m32.c - 32-bit protected mode: without paging (32), with 4 MiB pages (33),
 * with PAE (36).
 */
#include "rt.h"

CASE(p32_cpuid_msr, 0, 1)
{
	is(cpuid(0, 0).ebx, 0x756e6547);
	is(rdmsr(0x1b), 0xfee00900);
	is_(TRY("rdmsr", :: "c"(0x12345678) : "eax", "edx"), 13, "an unknown MSR is #GP");
	is(cr0() >> 31, MODE != 32);
	is(cr4() >> 5 & 1, MODE == 36);
}

CASE(p32_exceptions, 0, 1)
{
	is(TRY("ud2"), 6);
	is(TRY("int3"), 3);
	is(TRY("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx", ::: "eax", "ecx", "edx"), 0);
	is(TRY("mov %w0, %%ds", :: "r"(0xfff8)), 13);
	is(exc.err, 0xfff8);
	is(TRY("mov %w0, %%es", :: "r"(SEL_ABSENT)), 11);
	is_(TRY("bound %%eax, (%%edx)", :: "a"(5), "d"(G_HOST + 0x180) ), 5, "BOUND");
	is_(TRY("mov $0x7fffffff, %%eax; inc %%eax; into", ::: "eax"), 4, "INTO");
}

CASE(p32_pio_mmio, 0, 1)
{
	volatile u32 *m = (u32 *)G_MMIO;
	u32 v;

	outl(G_PORT, 0x12345678);
	is(host->value, 0x12345678);
	host->answer = 0xcafebabe;
	is(inl(G_PORT), 0xcafebabe);
	m[4] = 0x55aa;
	is(host->addr, G_MMIO + 16);
	is(host->value, 0x55aa);
	is(m[1], 0xcafebabe);
	*(volatile u8 *)(G_MMIO + 3) = 0x77;
	is(host->size, 1);
	*(volatile u16 *)(G_MMIO + 2) = 0x7788;
	is(host->size, 2);
	asm volatile("movzwl (%1), %0" : "=r"(v) : "r"(m));
	is(v, 0xbabe);
	asm volatile("movsbl (%1), %0" : "=r"(v) : "r"(m));
	is(v, 0xffffffbe);
	asm volatile("mov 0xd0000000, %%eax" : "=a"(v));
	is_(v, 0xcafebabe, "moffs");
	asm volatile("movl %%eax, 0xd0000004" :: "a"(3));
	is(host->addr, G_MMIO + 4);
	asm volatile("mov %%ah, (%0)" :: "d"(m), "a"(0x1234));
	is(host->value, 0x12);
}

CASE(p32_string_io, 0, 1)
{
	static u16 data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	u32 si = (u32)data, cx = 8, di = (u32)data, n = host->accesses;

	asm volatile("rep outsw" : "+S"(si), "+c"(cx) : "d"(G_PORT) : "memory");
	is(host->accesses - n, 8);
	is(host->value, 8);
	is(si, (u32)data + 16);
	host->answer = 0x99;
	cx = 2;
	asm volatile("rep insl" : "+D"(di), "+c"(cx) : "d"(G_PORT) : "memory");
	is(data[0], 0x99);
	is(data[2], 0x99);
	is(data[4], 5);
}

CASE(p32_interrupts, 0, 1)
{
	handlers[0x40] = irq_count;
	apic_enable();
	for (u32 i = 0; i < 20; i++) {
		apic_icr(0, 0x40 | ICR_ASSERT | ICR_SELF);
		sti_nop();
	}
	is(irqs[0x40], 20);
	apic_write(0x3e0, 0xb);
	apic_write(0x320, 0x40);
	apic_write(0x380, 30000);
	while (irqs[0x40] == 20)
		sti_hlt();
	is(irqs[0x40], 21);
}

CASE(p32_cr0_toggles, 0, 1)
{
	ulong c = cr0();

	WR("cr0", c | 8);
	is(TRY("fnop"), 7);
	WR("cr0", c);
	if (MODE != 32)
		for (u32 i = 0; i < 50; i++) {
			WR("cr0", c & 0x7fffffff);
			WR("cr0", c);
		}
	is(cr0(), c);
}

#if MODE != 32
CASE(p32_page_fault, 0, 1)
{
#if MODE == 33
	u32 *e = (u32 *)0x10000 + (0x12345670 >> 22), old = *e;
#else
	u64 *e = (u64 *)0x12000 + (0x12345670 >> 21), old = *e;
#endif
	*e = 0;
	WR("cr3", cr3());
	is(TRY("mov 0x12345670, %%eax", ::: "eax"), 14);
	is(exc.cr2, 0x12345670);
	is(exc.err, 0);
	*e = old;
	(void)old;
}
#else
CASE(p32_paging_on_off, 0, 1)
{
	u32 *pd = (u32 *)0x400000;

	for (u32 i = 0; i < 1024; i++)
		pd[i] = i << 22 | 0x87;
	WR("cr4", cr4() | 0x10);
	WR("cr3", pd);
	for (u32 i = 0; i < 20; i++) {
		WR("cr0", cr0() | 1u << 31);
		outb(G_PORT, 1);
		WR("cr0", cr0() & ~(1u << 31));
	}
	is(cr3(), (u32)pd);
	is(cr0() >> 31, 0);
}

CASE(p32_pae_bad_pdpte, 0, 1)
{
	u64 *pdpt = (u64 *)0x400000;

	for (u32 i = 0; i < 4; i++)
		pdpt[i] = (0x401000 + i * 4096) | 1;
	pdpt[2] |= 2;			/* reserved in a PDPTE */
	WR("cr4", cr4() | 0x20);
	WR("cr3", pdpt);
	is_(TRY("mov %0, %%cr0", :: "r"(cr0() | 1u << 31)), 13,
	    "paging on with a reserved bit in a PDPTE is #GP");
	is(cr0() >> 31, 0);
}

CASE(p32_real_mode_and_back, 0, 1)
{
	/* PE off and on within one instruction stream; selectors are as they were */
	ulong c = cr0();

	for (u32 i = 0; i < 20; i++) {
		asm volatile("mov %0, %%cr0; nop; cpuid; mov %1, %%cr0"
			     :: "S"(c & ~1ul), "D"(c) : "eax", "ebx", "ecx", "edx", "memory");
	}
	is(cr0(), c);
}
#endif

#if MODE == 36
CASE(pae_pdpte_reload, 0, 1)
{
	u64 *pdpt = (u64 *)cr3();
	u64 old = pdpt[1];

	/* PDPTEs are loaded with CR3, not at each walk */
	pdpt[1] = 0;
	(void)*(volatile u32 *)0x40000000;
	outb(G_PORT, 0);
	(void)TRY("mov 0x40001000, %%eax", ::: "eax");
	check(exc.vec == -1);
	WR("cr3", cr3());
	is_(TRY("mov 0x40000000, %%eax", ::: "eax"), 14, "after a CR3 load the PDPTE is absent");
	pdpt[1] = old;
	WR("cr3", cr3());
	pdpt[3] |= 1ull << 8;
	is_(TRY("mov %0, %%cr3", :: "r"(cr3())), 13, "a reserved bit in a PDPTE is #GP at MOV CR3");
	pdpt[3] &= ~(1ull << 8);
	is(TRY("mov %0, %%cr3", :: "r"(cr3())), -1);
}
#endif

CASE(p32_task_switch, G_END_ANY, 1)
{
	static u32 t[26];

	gdt[9] = 0x67 | (u64)((u32)t & 0xffffff) << 16 | 0x89ull << 40 | (u64)((u32)t >> 24) << 56;
	asm volatile("ljmp $0x48, $0");
}

CASE(p32_vm86, G_END_ANY, 1)
{
	/* IRET to virtual-8086 mode: INT 21h is #GP there with IOPL 0 */
	*(volatile u16 *)0x20000 = 0x21cd;
	asm volatile("push $0; push $0; push $0; push $0; push $0; push $0x1000;"
		     "push $0x20002; push $0x2000; push $0; iret");
}

CASE(p32_shutdown, G_END_SHUTDOWN, 1)
{
	struct { u16 l; u32 b; } __attribute__((packed)) none = { 0, 0 };

	asm volatile("lidt %0; ud2" :: "m"(none));
}
