// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest.c - a Multiboot guest that tries the worker's devices from the inside,
 * and says on COM1 how it went, as TAP.  It ends by the debug exit: 0 when all is
 * well.  The command line chooses other ends: "off", "reset", "vector" (a jump to
 * the reset vector), "crash", "again" (one reset, then what else it says), "spin"
 * (says what is typed, and NMIs).
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device;
	const char *cmdline;
	u32 nr_modules;
	u32 *modules;
};

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" :: "a"(v), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %1" :: "a"(v), "Nd"(port));
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u64 rdtsc(void)
{
	u64 v;

	asm volatile("rdtsc" : "=A"(v));
	return v;
}

static unsigned int count, failed;

static void put(const char *s)
{
	for (; *s; s++) {
		while (!(inb(0x3fd) & 0x20))
			;
		outb(0x3f8, *s);
	}
}

static void put_number(u32 n)
{
	char buf[12], *p = buf + 11;

	*p = 0;
	do
		*--p = '0' + n % 10;
	while (n /= 10);
	put(p);
}

static void check(int ok, const char *what)
{
	put(ok ? "ok " : "not ok ");
	put_number(++count);
	put(" - guest: ");
	put(what);
	put("\n");
	failed += !ok;
}

static int has(const char *text, const char *word)
{
	for (; *text; text++) {
		const char *a = text, *b = word;

		while (*b && *a == *b)
			a++, b++;
		if (!*b)
			return 1;
	}
	return 0;
}

/* --- interrupts ------------------------------------------------------------- */

struct gate {
	u16 low, selector, type, high;
};

static struct gate idt[256];
static volatile u32 hits[256];
static volatile u8 rtc_flags;
static volatile u32 faults, fault_address, fault_resume;

extern char isr_02[], isr_20[], isr_24[], isr_28[], isr_30[], isr_34[], isr_40[], isr_pf[];
void isr(u32 vector);
u32 isr_fault(void);

void isr(u32 vector)
{
	hits[vector]++;
	/* the level line stays up, so it interrupts again at once, until here */
	if (vector == 0x40 && hits[vector] == 5)
		outb(0x3f9, 0);
	if (vector == 0x28) {
		outb(0x70, 0x0c);
		rtc_flags |= inb(0x71);
		outb(0xa0, 0x20);
	}
	if (vector >= 0x20 && vector < 0x30)
		outb(0x20, 0x20);
	else if (vector > 0x20)
		*(volatile u32 *)0xfee000b0 = 0;
}

u32 isr_fault(void)
{
	u32 cr2;

	asm volatile("mov %%cr2, %0" : "=r"(cr2));
	fault_address = cr2;
	faults++;
	return fault_resume;
}

#define STUB(name, vector)						\
	asm(".globl " #name "\n" #name ": pusha; push $" #vector "; call isr;" \
	    " pop %eax; popa; iret")

STUB(isr_02, 0x02);
STUB(isr_20, 0x20);
STUB(isr_24, 0x24);
STUB(isr_28, 0x28);
STUB(isr_30, 0x30);
STUB(isr_34, 0x34);
STUB(isr_40, 0x40);
asm(".globl isr_pf\nisr_pf: pusha; call isr_fault; mov %eax, 36(%esp); popa; add $4, %esp; iret");

static void set_gate(unsigned int vector, const void *to)
{
	u32 at = (u32)to;

	idt[vector] = (struct gate){ at, 0x10, 0x8e00, at >> 16 };
}

static void setup_idt(void)
{
	struct { u16 limit; u32 base; } __attribute__((packed)) idtr = { sizeof(idt) - 1, (u32)idt };

	set_gate(2, isr_02);
	set_gate(14, isr_pf);
	set_gate(0x20, isr_20);
	set_gate(0x24, isr_24);
	set_gate(0x28, isr_28);
	set_gate(0x30, isr_30);
	set_gate(0x34, isr_34);
	set_gate(0x40, isr_40);
	asm volatile("lidt %0" :: "m"(idtr));
}

static void setup_pic(void)
{
	static const u8 icw[] = { 0x11, 0x20, 4, 1 };

	outb(0x20, icw[0]);
	for (int i = 1; i < 4; i++)
		outb(0x21, icw[i]);
	outb(0xa0, 0x11);
	outb(0xa1, 0x28);
	outb(0xa1, 2);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

static int wait_hits(unsigned int vector, u32 want)
{
	u64 end = rdtsc() + 4000000000ull;

	asm volatile("sti");
	while (hits[vector] < want && rdtsc() < end)
		asm volatile("pause");
	asm volatile("cli");
	return hits[vector] >= want;
}

/* HLT until @want interrupts: what ends it is only an interrupt */
static void halt_hits(unsigned int vector, u32 want)
{
	while (hits[vector] < want)
		asm volatile("sti; hlt; cli");
}

static void start_pit(u16 reload, u8 mode)
{
	outb(0x43, 0x30 | mode << 1);
	outb(0x40, reload);
	outb(0x40, reload >> 8);
}

static void test_pic(void)
{
	setup_pic();
	outb(0x21, 0xfe);
	start_pit(11932, 2);
	check(wait_hits(0x20, 3), "PIT interrupts through the PIC");
	halt_hits(0x20, 6);
	check(1, "and they wake HLT");
	outb(0x21, 0xff);
	hits[0x20] = 0;
	start_pit(1193, 0);
	check(!(inb(0x21) != 0xff), "mask reads back");
	outb(0x21, 0xfe);
	check(wait_hits(0x20, 1), "one shot");
	outb(0x21, 0xef);
	outb(0x3fc, 0x0b);
	outb(0x3f9, 2);
	check(wait_hits(0x24, 1), "transmitter interrupt through the PIC");
	outb(0x3f9, 0);
	inb(0x3fa);
	outb(0x21, 0xff);
}

static void cmos_write(u8 reg, u8 v)
{
	outb(0x70, reg);
	outb(0x71, v);
}

/* Only these interrupts from now on, none left over from before. */
static void rtc_enable(u8 interrupts)
{
	cmos_write(0x0b, 0x02);
	outb(0x70, 0x0c);
	inb(0x71);
	asm volatile("sti; nop; nop; cli");
	rtc_flags = 0;
	hits[0x28] = 0;
	cmos_write(0x0b, interrupts | 0x02);
}

static void test_rtc(void)
{
	outb(0x21, 0xfb);
	outb(0xa1, 0xfe);
	cmos_write(0x0a, 0x26);
	rtc_enable(0x40);
	check(wait_hits(0x28, 5) && (rtc_flags & 0xc0) == 0xc0, "RTC periodic interrupts");
	rtc_enable(0x10);
	halt_hits(0x28, 1);
	check((rtc_flags & 0x90) == 0x90, "RTC update interrupt wakes HLT");
	for (u8 reg = 1; reg < 6; reg += 2)
		cmos_write(reg, 0xff);
	rtc_enable(0x20);
	halt_hits(0x28, 1);
	check((rtc_flags & 0xa0) == 0xa0, "RTC alarm");
	rtc_enable(0);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

#define IOAPIC ((volatile u32 *)0xfec00000)
#define LAPIC(reg) (*(volatile u32 *)(0xfee00000 + (reg)))

static void ioapic_write(u32 reg, u32 v)
{
	IOAPIC[0] = reg;
	IOAPIC[4] = v;
}

static u32 ioapic_read(u32 reg)
{
	IOAPIC[0] = reg;
	return IOAPIC[4];
}

static void test_ioapic(void)
{
	LAPIC(0xf0) = 0x1ff;
	check((ioapic_read(1) & 0xff00ff) == 0x170011, "I/O APIC version");
	ioapic_write(0x14, 0x30);		/* timer is input 2 */
	ioapic_write(0x18, 0x34);		/* COM1 */
	start_pit(11932, 2);
	check(wait_hits(0x30, 3), "PIT interrupts through the I/O APIC");
	ioapic_write(0x14, 0x10000);
	start_pit(0, 0);
	outb(0x3f9, 2);
	check(wait_hits(0x34, 1), "transmitter interrupt as an edge");
	outb(0x3f9, 0);
	inb(0x3fa);
	ioapic_write(0x18, 0x8040);		/* level: EOI reaches the worker */
	outb(0x3f9, 2);
	check(wait_hits(0x40, 5), "a level interrupts after each EOI");
	inb(0x3fa);
	hits[0x40] = 0;
	asm volatile("sti");
	for (int i = 0; i < 1000; i++)
		inb(0x80);
	asm volatile("cli");
	check(hits[0x40] == 0, "and ends when the line falls");
	ioapic_write(0x18, 0x10000);
	outb(0x3fc, 0x03);
}

/* Accesses that the module leaves to the worker's decoder. */
static void test_raw(void)
{
	static u8 text[] = "ok by outsb\n";
	u8 *from = text, in[4] = { 0 }, *to = in;
	volatile u32 *window = IOAPIC + 4;
	u32 len = sizeof(text) - 1, v = 0x77, copy[2];

	asm volatile("rep outsb" : "+S"(from), "+c"(len) : "d"((u16)0x3f8));
	check(!len && from == text + sizeof(text) - 1, "rep outsb");
	outb(0x510, 0);
	asm volatile("outw %0, %1" :: "a"((u16)0), "Nd"((u16)0x510));
	len = 4;
	asm volatile("rep insb" : "+D"(to), "+c"(len) : "d"((u16)0x511) : "memory");
	check(in[0] == 'Q' && in[1] == 'E' && in[2] == 'M' && in[3] == 'U', "rep insb (fw_cfg)");
	ioapic_write(0x20, 0x10000);
	asm volatile("orl $0x55, %0" : "+m"(*window));
	check(ioapic_read(0x20) == 0x10055, "or to a device");
	asm volatile("andl $~5, %0" : "+m"(*window));
	check(ioapic_read(0x20) == 0x10050, "and");
	asm volatile("addl $1, %0" : "+m"(*window));
	check(ioapic_read(0x20) == 0x10051, "add");
	v |= 0x10000;
	asm volatile("xchgl %0, %1" : "+r"(v), "+m"(*window));
	check(v == 0x10051 && ioapic_read(0x20) == 0x10077, "xchg");
	from = (u8 *)window;
	to = (u8 *)copy;
	len = 2;
	asm volatile("1: movsl; sub $4, %%esi; loop 1b" : "+S"(from), "+D"(to), "+c"(len) :: "memory");
	check(copy[0] == 0x10077 && copy[1] == 0x10077, "movsl");
	asm volatile("lock btsl $3, %0" : "+m"(*window));
	check(ioapic_read(0x20) == 0x1007f, "lock bts");
	asm volatile("pushl %0; popl %1" :: "m"(*window), "m"(v) : "memory");
	check(v == 0x1007f, "push");
	asm volatile("shrl %0" : "+m"(*window));
	check(ioapic_read(0x20) == 0x803f, "shr");
	ioapic_write(0x20, 0x10000);
}

/* vector registers: through the worker and back into the VP, its neighbours too */
static void test_vectors(void)
{
	static const u32 pattern[4] = { 1, 2, 3, 4 };
	static u32 seen[4], next[4];
	volatile u32 *window = IOAPIC + 4;

	asm volatile("mov %%cr4, %%eax; or $0x200, %%eax; mov %%eax, %%cr4" ::: "eax");
	IOAPIC[0] = 0x20;
	asm volatile("movups %2, %%xmm7; movd %%xmm7, %3; movups %2, %%xmm6; movd %3, %%xmm7\n"
		     "movups %%xmm7, %0; movups %%xmm6, %1"
		     : "=m"(seen), "=m"(next) : "m"(pattern), "m"(*window) : "memory");
	check(seen[0] == 1 && !seen[1] && !seen[2] && !seen[3], "movd to a device and from it");
	check(next[0] == 1 && next[3] == 4, "other vector registers stay");
	ioapic_write(0x20, 0x10000);
}

static u32 page_directory[1024] __attribute__((aligned(4096)));

static u32 window_table[1024] __attribute__((aligned(4096)));

/*
 * One access in two pages: they are neighbours for the program, and one and the
 * same device.  Its far end has nothing, its beginning the select register.
 */
static void test_split(u32 *table)
{
	volatile u32 *end = (u32 *)0x80000ffe;
	u32 v, zero = 0;

	table[0] = table[1] = 0xfec00003;
	page_directory[0x80000000 >> 22] = (u32)table | 3;
	asm volatile("mov %0, %%cr3" :: "r"(page_directory));
	IOAPIC[0] = 0x20;
	asm volatile("mov %1, %0" : "=r"(v) : "m"(*end));
	check(v == 0x200000, "a load from two pages");
	asm volatile("mov %1, %0" : "=m"(*end) : "r"(0x100000));
	check(IOAPIC[0] == 0x10, "a store to two pages");
	asm volatile("addl %1, %0; orl %1, %0" : "+m"(*end) : "r"(zero));
	check(IOAPIC[0] == 0x10, "both in one instruction");
}

/* rep movsb from a page that is not there into a device: #PF by the worker */
static void test_fault(void)
{
	u32 cr0;

	for (u32 i = 0; i < 1024; i++)
		page_directory[i] = i << 22 | 0x83;
	page_directory[0x40000000 >> 22] = 0;
	asm volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4" ::: "eax");
	asm volatile("mov %0, %%cr3" :: "r"(page_directory));
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %0, %%cr0" :: "r"(cr0 | 0x80000000));
	check(1, "paging on");
	ioapic_write(0x20, 0x10011);
	check(ioapic_read(0x20) == 0x10011, "devices behind paging");
	{
		/* source: 2 bytes short of the hole's end does not matter: first byte faults */
		u32 from = 0xfec00010, to = 0x40000000, len = 4;

		asm volatile("movl $1f, %3; rep movsb; 1:"
			     : "+S"(from), "+D"(to), "+c"(len), "=m"(fault_resume) :: "memory");
	}
	check(faults == 1 && fault_address == 0x40000000, "a fault of the other operand");
	test_split(window_table);
	asm volatile("mov %0, %%cr0" :: "r"(cr0));
}

static void test_devices(const struct mb_info *mb)
{
	u8 a, b;

	check(inb(0x1234) == 0xff, "nobody at a port");
	check(*(volatile u32 *)0xfe000000 == 0xffffffff, "nobody at an address");
	outl(0xcf8, 0x80000000);
	check(inl(0xcf8) == 0x80000000 && (inl(0xcfc) & 0xffff) == 0x8086, "PCI host bridge");
	outl(0xcf8, 0x80000800);
	check(inl(0xcfc) == 0xffffffff, "and nothing behind it");
	outb(0x70, 0x0d);
	check(inb(0x71) == 0x80, "CMOS clock");
	outb(0x3ff, 0x5a);
	check(inb(0x3ff) == 0x5a, "scratch register");
	outb(0x61, 1);
	outb(0x43, 0xb0);
	outb(0x42, 0x9c);
	outb(0x42, 0x2e);
	a = inb(0x61);
	while (!((b = inb(0x61)) & 0x20))
		;
	check(!(a & 0x20), "PIT channel 2 runs 10 ms");
	check(mb->flags & 1 && mb->mem_upper >= 1024, "memory size");
}

/* To real mode by a copy of this code below 64 KiB, and to F000:FFF0. */
extern char to_real[], to_real_end[];
asm("to_real: ljmp $0x20, $1f - to_real + 0x8000\n"
    ".code16\n"
    "1: mov %cr0, %eax; and $~1, %al; mov %eax, %cr0; ljmp $0xf000, $0xfff0\n"
    ".code32\n"
    "to_real_end:");

static void jump_to_reset_vector(void)
{
	static u64 gdt[] = { 0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b000000ffff };
	struct { u16 limit; u32 base; } __attribute__((packed)) gdtr = { sizeof(gdt) - 1, (u32)gdt };
	u8 *to = (u8 *)0x8000;

	asm volatile("" : "+r"(to));
	for (char *from = to_real; from < to_real_end; from++)
		*to++ = *from;
	asm volatile("lgdt %0; ljmp $0x10, $0x8000" :: "m"(gdtr) : "memory");
}

/* CMOS memory outlives a reset */
static int first_boot(void)
{
	outb(0x70, 0x40);
	if (inb(0x71) == 0x99)
		return 0;
	outb(0x71, 0x99);
	return 1;
}

static void say(const char *what, u32 n)
{
	put(what);
	put_number(n);
	put("\n");
}

/*
 * "t" asks for time: the longest that the loop was away, in 1024 cycles, and how
 * often the PIT's 100 Hz came.
 */
static void spin(void)
{
	char word[] = "typed ?\n";
	u64 last = rdtsc(), now;
	u32 away = 0, nmis = 0;

	setup_pic();
	outb(0x21, 0xfe);
	start_pit(11932, 2);
	outb(0x3fc, 3);
	asm volatile("sti");
	for (;; last = now) {
		now = rdtsc();
		if ((u32)((now - last) >> 10) > away)
			away = (now - last) >> 10;
		if (hits[2] != nmis)
			say("nmi ", ++nmis);
		if (!(inb(0x3fd) & 1))
			continue;
		word[6] = inb(0x3f8);
		put(word);
		if (word[6] != 't')
			continue;
		say("away ", away);
		say("ticks ", hits[0x20]);
		now = rdtsc();
	}
}

static void end(const char *cmdline)
{
	put("1..");
	put_number(count);
	put("\n");
	if (has(cmdline, "again") && first_boot())
		outb(0x602, 1);
	if (has(cmdline, "spin"))
		spin();
	if (has(cmdline, "vector"))
		jump_to_reset_vector();
	if (has(cmdline, "off"))
		outb(0x600, 0x34);
	if (has(cmdline, "reset"))
		outb(0xcf9, 6);
	if (has(cmdline, "crash")) {
		struct { u16 limit; u32 base; } __attribute__((packed)) none = { 0, 0 };

		asm volatile("lidt %0; ud2" :: "m"(none));
	}
	asm volatile("outl %0, %1" :: "a"(failed), "Nd"((u16)0xf4));
}

void start_c(u32 magic, const struct mb_info *mb);

void start_c(u32 magic, const struct mb_info *mb)
{
	setup_idt();
	check(magic == 0x2badb002, "Multiboot");
	if (has(mb->cmdline, "all")) {
		test_devices(mb);
		test_pic();
		test_rtc();
		test_ioapic();
		test_raw();
		test_vectors();
		test_fault();
	}
	end(mb->cmdline);
	for (;;)
		asm volatile("cli; hlt");
}

asm(".section .head, \"ax\"\n"
    ".align 4\n"
    ".long 0x1badb002, 3, -(0x1badb002 + 3)\n"
    ".globl _start\n"
    "_start: mov $stack + 16384, %esp; push %ebx; push %eax; call start_c\n"
    ".comm stack, 16384, 16\n");
