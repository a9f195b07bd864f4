// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "../worker/insn.h"
#include "tap.h"

#define MEMORY	(2ull << 20)
#define DEVICE	0xfe000000ull

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static u8 *memory;
static struct gmem gm;
static struct hv_vp_register_page regs;
static struct bus ports, mmio;
static u8 device[4096];
static u8 port_data[64];
static unsigned int port_at;
static struct insn in;

static u64 dev_read(void *dev, u64 addr, unsigned int size)
{
	u64 v = 0;

	(void)dev;
	memcpy(&v, device + (addr & 0xfff), min_u64(size, 4096 - (addr & 0xfff)));
	return v;
}

static void dev_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	(void)dev;
	memcpy(device + (addr & 0xfff), &value, min_u64(size, 4096 - (addr & 0xfff)));
}

static u64 port_read(void *dev, u64 addr, unsigned int size)
{
	(void)dev;
	(void)addr;
	(void)size;
	return port_data[port_at++ % sizeof(port_data)];
}

static void port_write(void *dev, u64 addr, u64 value, unsigned int size)
{
	(void)dev;
	(void)addr;
	(void)size;
	port_data[port_at++ % sizeof(port_data)] = value;
}

static void start64(void)
{
	memset(&regs, 0, sizeof(regs));
	regs.efer = 0x500;
	regs.cr0 = 1;		/* paging is looked at apart */
	regs.cs.attributes = 0xa09b;
	regs.ss.attributes = 0xc093;
	regs.rip = 0x1000;
	regs.rflags = 2;
	memset(device, 0, sizeof(device));
	port_at = 0;
}

static int run(const char *bytes, unsigned int len)
{
	in = (struct insn){ .regs = &regs, .gm = &gm, .ports = &ports, .mmio = &mmio,
			    .len = len };
	memcpy(in.bytes, bytes, len);
	return insn_emulate(&in);
}

#define RUN(bytes)	run(bytes, sizeof(bytes) - 1)

static u64 dev64(unsigned int at)
{
	u64 v;

	memcpy(&v, device + at, 8);
	return v;
}

static void test_moves(void)
{
	start64();
	regs.gpr[RBX] = DEVICE + 8;
	regs.gpr[RAX] = 0x1122334455667788;
	CHECK(RUN("\x48\x89\x03") == INSN_DONE && dev64(8) == 0x1122334455667788,
	      "mov [rbx], rax");
	CHECK(regs.rip == 0x1003 && (regs.dirty & 1 << HV_X64_REGISTER_CLASS_IP), "RIP moves");
	CHECK(RUN("\x8b\x4b\xf8") == INSN_DONE && regs.gpr[RCX] == 0, "mov ecx, [rbx-8]");
	regs.gpr[RCX] = ~0ull;
	CHECK(RUN("\x8b\x0b") == INSN_DONE && regs.gpr[RCX] == 0x55667788,
	      "32-bit loads clear the upper half");
	regs.gpr[RDX] = ~0ull;
	CHECK(RUN("\x8a\x33") == INSN_DONE && regs.gpr[RDX] == 0xffffffffffff88ff,
	      "mov dh, [rbx]");
	CHECK(RUN("\x48\x0f\xbe\x13") == INSN_DONE && regs.gpr[RDX] == 0xffffffffffffff88,
	      "movsx rdx, byte [rbx]");
	CHECK(RUN("\x0f\xb7\x13") == INSN_DONE && regs.gpr[RDX] == 0x7788, "movzx");
	CHECK(RUN("\x48\xc7\x03\xfe\xff\xff\xff") == INSN_DONE && dev64(8) == -2ull,
	      "mov qword [rbx], -2");
	regs.gpr[RSI] = 2;
	CHECK(RUN("\xc6\x44\xb3\x04\x5a") == INSN_DONE && device[8 + 12] == 0x5a,
	      "mov byte [rbx+rsi*4+4], 0x5a");
}

static void test_arithmetic(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RAX] = 0xf0;
	device[0] = 0x3c;
	CHECK(RUN("\x08\x03") == INSN_DONE && device[0] == 0xfc && (regs.rflags & 0x80),
	      "or [rbx], al");
	CHECK(RUN("\x20\x03") == INSN_DONE && device[0] == 0xf0, "and [rbx], al");
	CHECK(RUN("\x30\x03") == INSN_DONE && device[0] == 0 && (regs.rflags & 0x40),
	      "xor [rbx], al: ZF");
	CHECK(RUN("\x83\x03\xff") == INSN_DONE && dev64(0) == 0xffffffff &&
	      !(regs.rflags & 1), "add dword [rbx], -1");
	CHECK(RUN("\x83\x03\x01") == INSN_DONE && dev64(0) == 0 && (regs.rflags & 0x41) == 0x41,
	      "add 1: carry and zero");
	CHECK(RUN("\x83\x13\x00") == INSN_DONE && dev64(0) == 1, "adc takes the carry");
	CHECK(RUN("\x83\x2b\x02") == INSN_DONE && dev64(0) == 0xffffffff && (regs.rflags & 1),
	      "sub: borrow");
	CHECK(RUN("\xf6\x03\x80") == INSN_DONE && (regs.rflags & 0x80) && dev64(0) == 0xffffffff,
	      "test does not store");
	CHECK(RUN("\xff\x03") == INSN_DONE && dev64(0) == 0, "inc");
	CHECK(RUN("\xf7\x13") == INSN_DONE && dev64(0) == 0xffffffff, "not");
	CHECK(RUN("\xf7\x1b") == INSN_DONE && dev64(0) == 1, "neg");
	CHECK(RUN("\x80\x3b\x01") == INSN_DONE && (regs.rflags & 0x40), "cmp");
}

static void test_locked(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RAX] = 7;
	CHECK(RUN("\x48\x87\x03") == INSN_DONE && dev64(0) == 7 && regs.gpr[RAX] == 0, "xchg");
	regs.gpr[RAX] = 5;
	CHECK(RUN("\xf0\x48\x0f\xc1\x03") == INSN_DONE && dev64(0) == 12 && regs.gpr[RAX] == 7,
	      "lock xadd");
	regs.gpr[RCX] = 99;
	CHECK(RUN("\xf0\x48\x0f\xb1\x0b") == INSN_DONE && dev64(0) == 12 &&
	      regs.gpr[RAX] == 12 && !(regs.rflags & 0x40), "lock cmpxchg that fails");
	CHECK(RUN("\xf0\x48\x0f\xb1\x0b") == INSN_DONE && dev64(0) == 99 &&
	      (regs.rflags & 0x40), "and that succeeds");
	CHECK(RUN("\xf0\x0f\xba\x2b\x03") == INSN_DONE && dev64(0) == 107, "lock bts");
	regs.gpr[RCX] = 65;
	CHECK(RUN("\x48\x0f\xab\x0b") == INSN_DONE && dev64(8) == 2, "bts beyond the operand");
	regs.gpr[RBX] = DEVICE + 16;
	regs.gpr[RCX] = -1ull;
	CHECK(RUN("\x48\x0f\xa3\x0b") == INSN_DONE && !(regs.rflags & 1), "bt below it");
}

static void test_strings(void)
{
	start64();
	memcpy(memory + 0x5000, "abcdefgh", 8);
	regs.gpr[RSI] = 0x5000;
	regs.gpr[RDI] = DEVICE;
	regs.gpr[RCX] = 8;
	CHECK(RUN("\xf3\xa4") == INSN_DONE && !memcmp(device, "abcdefgh", 8), "rep movsb");
	CHECK(regs.gpr[RCX] == 0 && regs.gpr[RSI] == 0x5008 && regs.gpr[RDI] == DEVICE + 8 &&
	      regs.rip == 0x1002, "registers behind it");
	regs.gpr[RDI] = DEVICE + 0x100;
	regs.gpr[RCX] = 4;
	regs.gpr[RAX] = 0x99;
	CHECK(RUN("\xf3\x48\xab") == INSN_DONE && device[0x118] == 0x99, "rep stosq");
	regs.gpr[RCX] = 5000;
	regs.gpr[RDI] = 0x6000;
	CHECK(RUN("\xf3\xaa") == INSN_DONE && regs.gpr[RCX] == 5000 - 1024 &&
	      regs.rip == 0x1005, "a long one comes back for the rest");
	regs.gpr[RCX] = 0;
	CHECK(RUN("\xf3\xaa") == INSN_DONE && regs.rip == 0x1007, "none at all");
	regs.rflags |= 0x400;
	regs.gpr[RSI] = 0x5007;
	regs.gpr[RDI] = DEVICE + 7;
	regs.gpr[RCX] = 2;
	CHECK(RUN("\xf3\xa4") == INSN_DONE && regs.gpr[RSI] == 0x5005, "backwards");
	regs.rflags &= ~0x400ull;
}

static void test_port_strings(void)
{
	start64();
	memcpy(memory + 0x5000, "hello", 5);
	regs.gpr[RDX] = 0x3f8;
	regs.gpr[RSI] = 0x5000;
	regs.gpr[RCX] = 5;
	CHECK(RUN("\xf3\x6e") == INSN_DONE && !memcmp(port_data, "hello", 5), "rep outsb");
	port_at = 0;
	regs.gpr[RDI] = 0x7000;
	regs.gpr[RCX] = 5;
	CHECK(RUN("\xf3\x6c") == INSN_DONE && !memcmp(memory + 0x7000, "hello", 5), "rep insb");
	CHECK(RUN("\x6c") == INSN_DONE && regs.gpr[RDI] == 0x7006, "one insb");
	regs.efer = 0;
	regs.cs.attributes = 0x9b;
	regs.es.base = 0x8000;
	regs.gpr[RDI] = 0xffff;
	port_at = 0;
	CHECK(RUN("\x6c") == INSN_DONE && memory[0x8000 + 0xffff] == 'h' &&
	      (regs.gpr[RDI] & 0xffff) == 0, "16-bit addresses wrap");
}

/* 4-level tables: page 0x400000 -> the device, 0x401000 absent, 0x402000 read only */
static void set_paging(void)
{
	u64 *t = (u64 *)(memory + 0x10000);

	memset(t, 0, 0x4000);
	t[0] = 0x11000 | 7;
	t[512] = 0x12000 | 7;
	t[1024] = 0x83;			/* first 2 MiB, supervisor */
	t[1024 + 2] = 0x13000 | 7;
	t[1536] = DEVICE | 7;
	t[1536 + 2] = 0x5000 | 5;
	regs.cr3 = 0x10000;
	regs.cr4 = 0x20;
	regs.cr0 = 0x80010001;
}

static void test_paging(void)
{
	start64();
	set_paging();
	regs.gpr[RBX] = 0x400000;
	regs.gpr[RAX] = 0x1234;
	CHECK(RUN("\x89\x03") == INSN_DONE && dev64(0) == 0x1234, "through the guest's tables");
	regs.gpr[RBX] = 0x401000;
	CHECK(RUN("\x89\x03") == INSN_FAULT && in.fault.vector == VECTOR_PF &&
	      in.fault.error == 2 && in.fault.cr2 == 0x401000, "not present");
	CHECK(regs.rip == 0x1002, "a fault leaves RIP");
	regs.gpr[RBX] = 0x402000;
	CHECK(RUN("\x8b\x0b") == INSN_DONE, "read only: reads");
	CHECK(RUN("\x89\x03") == INSN_FAULT && in.fault.error == 3, "and refuses writes");
	regs.ss.attributes = 0xc0f3;
	regs.gpr[RBX] = 0x6000;
	CHECK(RUN("\x89\x03") == INSN_FAULT && in.fault.error == 7, "user to supervisor page");
	regs.ss.attributes = 0xc093;
	regs.gpr[RSI] = 0x400ffc;
	regs.gpr[RDI] = 0x6000;
	regs.gpr[RCX] = 8;
	CHECK(RUN("\xf3\xa4") == INSN_FAULT && regs.gpr[RCX] == 4 && in.fault.cr2 == 0x401000,
	      "a string stops in the middle");
	regs.gpr[RBX] = 0x400ffe;
	CHECK(RUN("\x89\x03") == INSN_FAULT && device[0xffe] == 0,
	      "a split access is checked before it starts");
	regs.cr3 = ~0ull;
	CHECK(RUN("\x89\x03") == INSN_FAULT, "tables outside of memory");
}

static void test_paging_32(void)
{
	u32 *pd = (u32 *)(memory + 0x14000);
	u64 *pdpt = (u64 *)(memory + 0x15000);

	start64();
	regs.efer = 0;
	regs.cs.attributes = 0xc09b;
	memset(pd, 0, 0x2000);
	pd[1] = (u32)(DEVICE & 0xffc00000) | 0x83;
	regs.cr3 = 0x14000;
	regs.cr4 = 0x10;
	regs.cr0 = 0x80000001;
	regs.gpr[RBX] = 0x400000 | (DEVICE & 0x3fffff);
	CHECK(RUN("\xc7\x03\x0d\xf0\xad\x0b") == INSN_DONE && dev64(0) == 0x0badf00d,
	      "4 MiB page");
	pdpt[0] = 0x12000 | 1;
	regs.cr3 = 0x15000;
	regs.cr4 = 0x20;
	set_paging();
	regs.cr3 = 0x15000;
	regs.cr0 = 0x80000001;
	regs.gpr[RBX] = 0x400010;
	CHECK(RUN("\xc7\x03\x01\x00\x00\x00") == INSN_DONE && dev64(0x10) == 1, "PAE");
}

static void test_fetch(void)
{
	start64();
	memcpy(memory + 0x1000, "\x89\x03", 2);
	regs.gpr[RBX] = DEVICE;
	regs.gpr[RAX] = 0x77;
	CHECK(run("", 0) == INSN_DONE && dev64(0) == 0x77, "fetched from memory");
	regs.rip = MEMORY - 1;
	memory[MEMORY - 1] = 0xa4;
	CHECK(run("", 0) >= 0, "fetched at the end of memory");
	regs.rip = 0xffffffff00000000;
	CHECK(run("", 0) >= 0, "fetched from nowhere");
}

static void test_unknown(void)
{
	start64();
	regs.gpr[RBX] = DEVICE;
	CHECK(RUN("\x0f\x0b") == INSN_UNKNOWN, "ud2");
	CHECK(RUN("\xd9\x03") == INSN_UNKNOWN, "fld");
	CHECK(RUN("\xf2\x0f\x10\x03") == INSN_UNKNOWN, "movsd xmm is no string");
	CHECK(RUN("\x48") == INSN_UNKNOWN, "half an instruction");
	CHECK(regs.rip == 0x1000 && !regs.dirty, "nothing changed");
}

static void test_random(void)
{
	unsigned int seed = 77, done = 0;

	for (int i = 0; i < 300000; i++) {
		char bytes[15];

		start64();
		if (i & 1)
			set_paging();
		if (i & 2)
			regs.cs.attributes = i & 4 ? 0xc09b : 0x9b;
		for (int k = 0; k < 16; k++) {
			seed = seed * 1103515245 + 12345;
			regs.gpr[k] = seed & 0x100 ? DEVICE + (seed >> 20) :
				      seed & 0x200 ? seed >> 11 : (u64)seed << 32 | seed;
			bytes[k % 15] = seed >> 16;
		}
		if (i & 8)
			bytes[0] = "\x88\x89\x8a\x8b\xa4\xa5\xf3\x6c\x6e\x0f\xf0\x87\x01\x29\xff\xab"
				   [seed >> 8 & 15];
		regs.gpr[RCX] &= 0xfff;
		done += run(bytes, 15) == INSN_DONE;
	}
	CHECK(done > 1000, "random instructions do no harm (%u done)", done);
}

int main(void)
{
	memory = calloc(1, MEMORY);
	gmem_layout(&gm, MEMORY, memory);
	bus_add(&mmio, &(struct bus_range){ .first = DEVICE, .last = DEVICE + 0xfff, .width = 8,
					    .read = dev_read, .write = dev_write });
	bus_add(&ports, &(struct bus_range){ .first = 0x3f8, .last = 0x3f8, .width = 4,
					     .read = port_read, .write = port_write });
	test_moves();
	test_arithmetic();
	test_locked();
	test_strings();
	test_port_strings();
	test_paging();
	test_paging_32();
	test_fetch();
	test_unknown();
	test_random();
	free(memory);
	return tap_done();
}
