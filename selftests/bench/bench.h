/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench.h - the machine that the benchmark runs under each hypervisor, and
 * what a driver of a hypervisor gives.
 */
#ifndef OVID_BENCH_H
#define OVID_BENCH_H

#define B_CTL		0x4000
#define B_GDT		0x2000
#define B_IDT		0x3000
#define B_HV_INPUT	0x5000		/* of a hypercall in memory */
#define B_HV_EVENTS	0x6000		/* the page of event flags */
#define B_HV_CALL	0x7000		/* the hypercall page */
#define B_STACK		0x9000
#define B_HV_MESSAGES	0xa000		/* the page of message slots */
#define B_PAIR		0xb000		/* what two VPs tell each other: struct b_pair */
#define B_STACK1	0xd000		/* the second VP's */
#define B_CHAN		0xe000		/* the channel that is measured: struct b_chan */
#define B_PAYLOAD	0xe100		/* of a packet, to be sent; a received one's comes here, too */
#define B_CODE		0x10000
#define B_OUT		0x100000	/* the ring towards the host: its page and data */
#define B_IN		0x180000	/* the ring towards the guest */
#define B_RING_PAGES	128		/* of each, as Linux's netvsc has them */
#define B_RING_BYTES	(127 * 4096)	/* data */
#define B_LOW		0x200000	/* memory that is always there */
#define B_TOUCH		0x1000000	/* memory for the first-touch rows */
#define B_VEC		0x40
#define B_FLUSH_VEC	0x41		/* the second VP flushes and says so */
#define B_END_VEC	0x42		/* the second VP says DONE */
#define B_SPIN_TICKS	2		/* of a turn of the second VP's loop */
#define B_SINT		2
#define B_CONNECTION	1

#define B_BELL		0x5a		/* port with an ioeventfd */
#define B_PIO		0x80		/* port of the program */
#define B_MSI		0x81		/* the program injects an MSI */
#define B_DONE		0xf4
#define B_MMIO		0x80000000
#define B_MMIO_BELL	0x80001000

#define B_POST		0x5c		/* HvCallPostMessage */
#define B_POST_CONNECTION 4		/* of the bus */

#ifndef __ASSEMBLER__
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct b_ctl {
	uint32_t pad, count;
	uint64_t t0, t1;
	uint32_t hv_call;		/* where the guest calls the hypervisor */
	uint32_t spun0, spun1;		/* turns of the second VP's own loop, at t0 and t1 */
};

/* the guest's input of HvCallPostMessage */
struct b_post {
	uint32_t connection, zero, type, bytes;
	uint8_t payload[240];
};

struct b_pair {
	uint32_t spun;			/* turns of B_SPIN_TICKS each */
	uint32_t flushed, ready;
};

/*
 * @bytes: of a packet in the ring, descriptor and trailer included: a power of 2, so
 *	that none wraps
 * @desc: the second word of its descriptor
 * @words: of its payload
 * @connection: the host is signalled by it; 0: by B_BELL
 * @event: flag by which the host signals
 * @signals: of the guest
 */
struct b_chan {
	uint32_t bytes, desc, words, connection, event, signals;
};

enum b_server { B_NOBODY, B_KERNEL, B_PROGRAM };	/* of a channel */

enum b_memory { B_SMALL, B_HUGE };	/* pages of 4 KiB only, or 2 MiB if it can */

/* what is one tick in the emulator and dear on silicon; -1: not known */
enum {
	C_EXITS, C_VMREAD, C_VMWRITE, C_VMPTRLD, C_VMCLEAR, C_VMXON, C_VMXOFF, C_INVEPT,
	C_INVVPID, C_WRMSR, C_EMULATOR,
	C_IPIS = C_EMULATOR,	/* those that the host received */
	C_SIGNALS,		/* of a channel, both ways */
	C_GUEST,		/* instructions in guests: the emulator's, too */
	C_ALL
};
struct b_counts {
	double n[C_ALL];
};

struct b_vm {
	int dev, part, vp, memory, stats;
	void *run, *page;
	uint64_t run_bytes;
	uint8_t *low, *touch;		/* the two pieces of memory */
	uint64_t touch_bytes;
	bool irqchip, hv;
	bool posts;			/* its own thread answers messages */
	int bell, mmio_bell;
	int channel;			/* ovid: its file; KVM: the eventfd of an MSI */
	struct b_rings *rings;		/* that the program serves */
	pthread_t thread;
	/* what the thread does again and again, until it is false, and what makes it so */
	bool (*answer)(struct b_vm *vm);
	void (*end)(struct b_vm *vm);
	const struct b_driver *driver;
};

struct b_driver {
	const char *name;
	/* what `create` does is timed; memory objects of the program are made before */
	void (*memory)(struct b_vm *vm, uint64_t touch_bytes, enum b_memory kind);
	void (*create)(struct b_vm *vm);
	void (*setup)(struct b_vm *vm);		/* pages, CPUID */
	/* *vm again with a VP 1 of its own in place of VP 0; and its end */
	void (*second)(const struct b_vm *vm, struct b_vm *second);
	void (*close_vp)(struct b_vm *vm);
	void (*bells)(struct b_vm *vm);
	int (*msi)(struct b_vm *vm);
	void (*events)(struct b_vm *vm);	/* those that the guest signals ring the bell */
	int (*event)(struct b_vm *vm);		/* flag 0 of B_SINT */
	void (*messages)(struct b_vm *vm);	/* those that the guest posts can be answered */
	bool (*message)(struct b_vm *vm);	/* waits for one and posts one; false: the end */
	void (*messages_end)(struct b_vm *vm);
	void (*posts)(struct b_vm *vm);		/* the VP's thread answers them */
	/* the guest has opened a channel: *c says how it signals; the rings, twice each, or NULL */
	void *(*open)(struct b_vm *vm, struct b_chan *c, enum b_server server, bool sink);
	int (*signal)(struct b_vm *vm);		/* the guest, for its channel */
	void (*enter)(struct b_vm *vm, uint32_t eip, uint32_t esi);
	void (*loop)(struct b_vm *vm);		/* until B_DONE */
	double (*exits)(struct b_vm *vm);	/* so far, by the hypervisor's own account */
	void (*destroy)(struct b_vm *vm);
};

struct b_sample {
	double ticks, work;
	struct b_counts c;
};

extern const struct b_driver b_kvm, b_ovid;
extern double b_ticks_per_ns;

void b_run(struct b_vm *vm, const uint8_t *entry, uint32_t n);
void b_chan_new(struct b_vm *vm, enum b_server server, uint32_t bytes, bool sink);
void b_chan_free(struct b_vm *vm);
double b_chan_signals(struct b_vm *vm);	/* so far */
void b_counts_now(struct b_vm *vm, struct b_counts *c);
struct b_counts b_counts_between(const struct b_counts *a, const struct b_counts *b, unsigned int n);
void b_row(const char *name, const struct b_sample *s);
int b_boot(char **command);
int b_quiet(const char *name, char **command);
int b_disk(const char *prefix, char **command);
pid_t b_start(char **command, int *out);	/* *out: what it says */
bool b_bell(struct b_vm *vm);		/* waits until it is rung; false: the end */
void b_bell_end(struct b_vm *vm);
void b_die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
#endif
#endif
