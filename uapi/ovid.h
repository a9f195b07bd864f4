/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * ovid.h - the Virtual Infrastructure Driver: extension calls of /dev/ovid.
 *
 * Three kinds of file: D = /dev/ovid itself, P = a partition, V = a virtual
 * processor; and M = a guest memory object, H = a channel, C = connects of the
 * guest's sockets.  P and V also take the calls of mshv.h (magic 0xB8), which this header
 * leaves as they are.
 *
 * Every struct here begins with its own size and flags: a caller sets @size to
 * sizeof(struct), an older kernel refuses a longer one with unknown non-zero
 * bytes (E2BIG), a newer one takes a shorter one as if the rest were zero.
 * Reserved fields and unknown flags must be zero (EINVAL).  Errors are errno.
 */
#ifndef OVID_UAPI_H
#define OVID_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define OVID_ABI_VERSION	1
#define OVID_IOCTL		0xB9
#define OVID_PAGE_SIZE		4096
#define OVID_NAME_LEN		32

/* ---- D: /dev/ovid ------------------------------------------------------ */

/* ovid_info.caps: what this host can do */
#define OVID_CAP_X2APIC		(1u << 0)
#define OVID_CAP_TPR_SHADOW	(1u << 1)
#define OVID_CAP_APICV		(1u << 2)  /* register virtualization, virtual-interrupt delivery */
#define OVID_CAP_POSTED_INTR	(1u << 3)
#define OVID_CAP_EPT_1G		(1u << 4)
#define OVID_CAP_EPT_AD		(1u << 5)
#define OVID_CAP_PML		(1u << 6)
#define OVID_CAP_TSC_SCALING	(1u << 7)
#define OVID_CAP_PREEMPT_TIMER	(1u << 8)
#define OVID_CAP_VMX_SCOPED	(1u << 9)  /* VMX is entered around each run only */

/* ovid_info.blockers: why no partition can be made now (0: one can) */
#define OVID_BLOCK_NO_VMX	(1u << 0)  /* the CPU has no VMX, or firmware locked it off */
#define OVID_BLOCK_VMX_BUSY	(1u << 1)  /* another hypervisor owns VMX (KVM loaded) */
#define OVID_BLOCK_CAPS		(1u << 2)  /* a required VMX capability is missing */

/**
 * struct ovid_info - OVID_GET_INFO: what the host offers
 * @size:	sizeof(struct ovid_info)
 * @flags:	must be zero
 * @abi_version: OVID_ABI_VERSION of the module
 * @caps:	OVID_CAP_*
 * @blockers:	OVID_BLOCK_*
 * @max_vps:	VPs in one partition
 * @max_gsis:	interrupt routes in one partition
 * @max_regions: guest memory regions in one partition
 * @phys_bits:	width of a guest physical address
 * @tsc_khz:	frequency of the host's TSC
 * @kernel_version: LINUX_VERSION_CODE that the module was built against
 * @partitions: partitions that exist now
 * @module_version: NUL-terminated
 * @reason:	one line for a person when @blockers is not zero, else empty
 */
struct ovid_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 caps;
	__u32 blockers;
	__u32 max_vps;
	__u32 max_gsis;
	__u32 max_regions;
	__u32 phys_bits;
	__u32 tsc_khz;
	__u32 kernel_version;
	__u32 partitions;
	__u8  module_version[32];
	__u8  reason[128];
};

/* ovid_create_partition.flags */
#define OVID_PART_X2APIC	(1u << 0)  /* guests may switch to x2APIC mode */

/**
 * struct ovid_create_partition - OVID_CREATE_PARTITION: a new partition
 * @size:	sizeof(struct ovid_create_partition)
 * @flags:	OVID_PART_*
 * @name:	NUL-terminated; for traces, debugfs and the log
 *
 * Returns the P file (close-on-exec).  The partition is initialized at once,
 * and bound to the caller's memory at the first map, create-VP or run.
 * Errors: ENODEV (no VMX), EBUSY (VMX owned by another), ENOMEM, EMFILE.
 */
struct ovid_create_partition {
	__u32 size;
	__u32 flags;
	__u8  name[OVID_NAME_LEN];
};

/* ovid_create_memory.flags */
#define OVID_MEM_HUGE		(1u << 0)  /* prefer 2 MiB pieces (else 4 KiB ones) */

/**
 * struct ovid_create_memory - OVID_CREATE_MEMORY: a guest memory object
 * @size:	sizeof(struct ovid_create_memory)
 * @flags:	OVID_MEM_*
 * @bytes:	size of the object, a multiple of 4096, not zero
 *
 * Returns the M file: zeroed memory, allocated at first touch, unevictable,
 * charged to the toucher's memory cgroup; mmap() it shared.  It can be mapped
 * into several partitions.
 */
struct ovid_create_memory {
	__u32 size;
	__u32 flags;
	__u64 bytes;
};

#define OVID_GET_INFO		_IOWR(OVID_IOCTL, 0x00, struct ovid_info)
#define OVID_CREATE_PARTITION	_IOW(OVID_IOCTL, 0x01, struct ovid_create_partition)
#define OVID_CREATE_MEMORY	_IOW(OVID_IOCTL, 0x02, struct ovid_create_memory)

/* ---- P: a partition ---------------------------------------------------- */

/* ovid_map_memory.flags */
#define OVID_MAP_WRITE		(1u << 0)
#define OVID_MAP_EXEC		(1u << 1)
#define OVID_MAP_FD		(1u << 2)  /* backing is an M file, else user memory */

/**
 * struct ovid_map_memory - OVID_MAP_MEMORY: back guest physical addresses
 * @size:	sizeof(struct ovid_map_memory)
 * @flags:	OVID_MAP_*; a region is always readable
 * @gpa:	first guest physical address, 4 KiB aligned
 * @bytes:	length, a multiple of 4096, not zero
 * @fd:		the M file, with OVID_MAP_FD (else must be zero)
 * @pad:	must be zero
 * @source:	offset in the object, or user address; 4 KiB aligned
 *
 * Errors: EINVAL, EEXIST (overlaps a region), ENOSPC (too many regions), EBADF
 * (not an M file), ENOMEM.
 */
struct ovid_map_memory {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 bytes;
	__s32 fd;
	__u32 pad;
	__u64 source;
};

/**
 * struct ovid_gpa_range - OVID_UNMAP_MEMORY, OVID_DISCARD_MEMORY
 * @size:	sizeof(struct ovid_gpa_range)
 * @flags:	must be zero
 * @gpa:	first guest physical address, 4 KiB aligned
 * @bytes:	length, a multiple of 4096, not zero
 *
 * Unmap removes every byte of the range, splitting regions at its ends; holes
 * in the range are fine (ENOENT if nothing at all was mapped).  Discard keeps
 * the regions and drops the pages of their memory objects: they read as zero
 * afterwards, for every mapping of the object.
 */
struct ovid_gpa_range {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 bytes;
};

/* ovid_cpuid_entry.flags */
#define OVID_CPUID_SUBLEAF	(1u << 0)  /* @subleaf counts for this leaf */

/**
 * struct ovid_cpuid_entry - one CPUID leaf as the guest sees it
 * @leaf:	EAX of the instruction
 * @subleaf:	ECX, when @flags has OVID_CPUID_SUBLEAF
 * @flags:	OVID_CPUID_*
 * @eax:	the answer.  Bits that follow a VP's state (APIC id
 *		in leaves 1, 0xB, 0x1F, OSXSAVE, XSAVE size) are put in at run time
 * @ebx:	likewise
 * @ecx:	likewise
 * @edx:	likewise
 * @pad:	must be zero
 */
struct ovid_cpuid_entry {
	__u32 leaf;
	__u32 subleaf;
	__u32 flags;
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 pad;
};

#define OVID_MAX_CPUID		256

/**
 * struct ovid_cpuid - OVID_GET_CPUID (what the guest sees now, at first the
 *		module's default for this host), OVID_SET_CPUID (replace it all)
 * @size:	sizeof(struct ovid_cpuid)
 * @flags:	must be zero
 * @count:	in: entries at @entries; out (get): entries there are.  Get with
 *		too few: E2BIG, and @count tells the need
 * @pad:	must be zero
 * @entries:	user address of struct ovid_cpuid_entry[]
 *
 * Set refuses (EINVAL) features that the module does not virtualize, more than
 * OVID_MAX_CPUID entries, and duplicates.  EBUSY once a VP has run.
 */
struct ovid_cpuid {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 pad;
	__u64 entries;
};

/* ovid_msr_policy: what an MSR that the module does not implement does */
#define OVID_MSR_FAULT		0	/* #GP */
#define OVID_MSR_IGNORE		1	/* reads as zero, writes are dropped */
#define OVID_MSR_WORKER		2	/* OVID_EXIT_MSR */

/**
 * struct ovid_msr_rule - one range of MSR numbers
 * @first:	lowest number
 * @last:	highest number, inclusive
 * @read:	OVID_MSR_*
 * @write:	OVID_MSR_*
 */
struct ovid_msr_rule {
	__u32 first;
	__u32 last;
	__u32 read;
	__u32 write;
};

#define OVID_MAX_MSR_RULES	64

/**
 * struct ovid_msr_policy - OVID_SET_MSR_POLICY: for unimplemented MSRs only
 * @size:	sizeof(struct ovid_msr_policy)
 * @flags:	must be zero
 * @default_action: OVID_MSR_* for MSRs in no rule
 * @count:	rules at @rules, at most OVID_MAX_MSR_RULES; the first match counts
 * @rules:	user address of struct ovid_msr_rule[]
 */
struct ovid_msr_policy {
	__u32 size;
	__u32 flags;
	__u32 default_action;
	__u32 count;
	__u64 rules;
};

/* ovid_partition_ctrl.op */
#define OVID_CTRL_PAUSE		1	/* VPs leave the guest and wait in RUN; time stands still */
#define OVID_CTRL_RESUME	2
#define OVID_CTRL_RESET		3	/* every VP to its reset state; only while paused */

/**
 * struct ovid_partition_ctrl - OVID_PARTITION_CTRL
 * @size:	sizeof(struct ovid_partition_ctrl)
 * @flags:	must be zero
 * @op:		OVID_CTRL_*
 * @pad:	must be zero
 *
 * Pause is acknowledged when it returns: no VP executes guest code any more.
 * While paused OVID_RUN_VP waits in the kernel (it still returns for signals
 * and for cancel).
 */
struct ovid_partition_ctrl {
	__u32 size;
	__u32 flags;
	__u32 op;
	__u32 pad;
};

/**
 * struct ovid_property - OVID_GET_PROPERTY, OVID_SET_PROPERTY
 * @size:	sizeof(struct ovid_property)
 * @flags:	must be zero
 * @code:	HV_PARTITION_PROPERTY_* (hvdef.h)
 * @pad:	must be zero
 * @value:	the property
 */
struct ovid_property {
	__u32 size;
	__u32 flags;
	__u32 code;
	__u32 pad;
	__u64 value;
};

/* ovid_route.kind */
#define OVID_ROUTE_NONE		0	/* removes the route */
#define OVID_ROUTE_MSI		1	/* @address, @data as a device would write them */
#define OVID_ROUTE_NMI		2	/* @address: VP index */
#define OVID_ROUTE_EVENT	3	/* @address: VP index; @data: SINT << 16 | event flag */

/**
 * struct ovid_route - OVID_SET_ROUTE: where one GSI (irqfd) leads
 * @size:	sizeof(struct ovid_route)
 * @flags:	must be zero
 * @gsi:	below ovid_info.max_gsis
 * @kind:	OVID_ROUTE_*
 * @address:	MSI address; bits 63:40 hold destination bits 31:8 in x2APIC form
 * @data:	MSI data; bit 15 makes it level-triggered (EOI exits)
 * @pad:	must be zero
 */
struct ovid_route {
	__u32 size;
	__u32 flags;
	__u32 gsi;
	__u32 kind;
	__u64 address;
	__u32 data;
	__u32 pad;
};

/* ovid_inject.kind */
#define OVID_INJECT_MSI		1	/* @address, @data */
#define OVID_INJECT_NMI		2	/* @address: VP index */
#define OVID_INJECT_EXTINT	3	/* @address: VP index; @data: INTR line, 0 or 1 */
#define OVID_INJECT_EVENT	4	/* @address: VP index; @data: SINT << 16 | event flag */

/**
 * struct ovid_inject - OVID_INJECT: an interrupt from the caller, now
 * @size:	sizeof(struct ovid_inject)
 * @flags:	must be zero
 * @kind:	OVID_INJECT_*
 * @data:	see the kind
 * @address:	see the kind
 *
 * Takes no lock that a running VP holds.  A destination that does not exist
 * drops the interrupt, as hardware does.
 */
struct ovid_inject {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 data;
	__u64 address;
};

/* ovid_synic_port.kind */
#define OVID_PORT_NONE		0	/* removes the port */
#define OVID_PORT_EVENT		1	/* HvCallSignalEvent of flag 0 signals the eventfd @fd */
#define OVID_PORT_MESSAGE	2	/* messages wait in a queue of @depth */

#define OVID_MAX_PORT_DEPTH	1024

/**
 * struct ovid_synic_port - OVID_SYNIC_PORT: where the guest's messages or events go
 * @size:	sizeof(struct ovid_synic_port)
 * @flags:	must be zero
 * @connection:	the connection id that the guest uses, 1 to 0xFFFFFF
 * @kind:	OVID_PORT_*
 * @fd:		an eventfd, with OVID_PORT_EVENT (else must be zero)
 * @depth:	messages, 1 to OVID_MAX_PORT_DEPTH, with OVID_PORT_MESSAGE (else must
 *		be zero); one more gives the guest HV_STATUS_INSUFFICIENT_BUFFERS
 *
 * Returns 0, or with OVID_PORT_MESSAGE a file (close-on-exec) that gives whole struct
 * ovid_port_message, as many as fit; it can be polled, and EAGAIN with O_NONBLOCK says
 * that there is none.  Closing it removes the port; where the port was removed by
 * OVID_PORT_NONE the file ends behind the last message.  A reset of the partition
 * leaves ports as they are.  Errors: EINVAL, EEXIST (the id is in use), ENOENT (no port
 * of a process has it), EBADF, ENOMEM, EMFILE.
 */
struct ovid_synic_port {
	__u32 size;
	__u32 flags;
	__u32 connection;
	__u32 kind;
	__s32 fd;
	__u32 depth;
};

/**
 * struct ovid_port_message - what is read from a message port
 * @vp:		index of the VP that posted it
 * @type:	message type, not zero
 * @bytes:	of @payload that count
 * @pad:	zero
 * @payload:	the message; zeros behind @bytes
 */
struct ovid_port_message {
	__u32 vp;
	__u32 type;
	__u32 bytes;
	__u32 pad;
	__u8  payload[240];
};

/* ovid_vmbus_create.max_version, ovid_channel_info.version: major << 16 | minor */
#define OVID_VMBUS_VERSION(major, minor)	((major) << 16 | (minor))

/* ovid_vmbus_create.flags */
#define OVID_VMBUS_AWAITS_STATE	(1u << 0)	/* OVID_VMBUS_STATE will fill it */

/**
 * struct ovid_vmbus_create - OVID_VMBUS_CREATE: the partition has a VMBus
 * @size:	sizeof(struct ovid_vmbus_create)
 * @flags:	OVID_VMBUS_AWAITS_STATE: it stands still until a state was restored and the
 *		partition is resumed; sub-channels may be offered before that
 * @max_version: newer protocol versions are refused to the guest; 0: the newest known
 * @pad:	must be zero
 *
 * The bus answers on connection ids 1, 2 and 4, in a thread that belongs to the caller's
 * process, whose memory must be the partition's.  Errors: EEXIST (there is one, or a port of a
 * process has one of the ids), EINVAL, EIO, ENOMEM.
 */
struct ovid_vmbus_create {
	__u32 size;
	__u32 flags;
	__u32 max_version;
	__u32 pad;
};

/* ovid_vmbus_state.op */
#define OVID_STATE_SAVE		1
#define OVID_STATE_RESTORE	2

#define OVID_VMBUS_STATE_BYTES	(64u << 20)	/* the longest */

/**
 * struct ovid_vmbus_state - OVID_VMBUS_STATE: the state of the bus, out or in
 * @size:	sizeof(struct ovid_vmbus_state)
 * @flags:	must be zero
 * @op:		OVID_STATE_*
 * @pad:	must be zero
 * @buf:	user pointer
 * @bytes:	of @buf; SAVE: out, of the state, also with E2BIG (there was not enough room)
 *
 * The partition is paused (EBUSY).  SAVE: the bus has ended what it was at, and stands still until
 * the partition is resumed, from the first attempt on, also one that gives E2BIG; only then the
 * state of the VPs is to be read, since the bus gives them messages and events.  What processes
 * do to the channels' files afterwards is not in the state.
 *
 * RESTORE: into a bus made with OVID_VMBUS_AWAITS_STATE, on a partition that has the same memory
 * and VPs; all channels are offered again, and no others, each by a new file, which stands for the
 * one with the same type, instance and index.  Pages that the guest has given to its channels are
 * looked up anew.  It happens as a whole or not at all; once.
 *
 * Errors of RESTORE: EBUSY (it is not such a bus, or was filled), EINVAL (no state that a bus
 * could be in, or a newer one; a channel is offered that it does not know), ENOENT (a channel of
 * the state is not offered), EFAULT (memory of the guest's is not there), EOPNOTSUPP (a provider
 * that cannot be moved while it is open), E2BIG, ENOMEM, EINTR.
 */
struct ovid_vmbus_state {
	__u32 size;
	__u32 flags;
	__u32 op;
	__u32 pad;
	__u64 buf;
	__u64 bytes;
};

#define OVID_PROVIDER_NAME_LEN	16
#define OVID_CHANNEL_USER_BYTES	120

#define OVID_VMBUS_LATENCY_MIN	500	/* 50 us */

/**
 * struct ovid_vmbus_offer - OVID_VMBUS_OFFER: a channel for the guest
 * @size:	sizeof(struct ovid_vmbus_offer)
 * @flags:	must be zero
 * @provider:	NUL-terminated: one of the kernel's; empty: the caller serves it
 * @type:	class id, as it is in memory; all zero: the provider's own
 * @instance:	instance id; all zero: the provider's usual one
 * @offer_flags: as in the offer that the guest sees
 * @mmio_mb:	MiB of MMIO space that the device asks for
 * @sub_index:	0: a device; more: one more channel of it
 * @latency:	in 100 ns, OVID_VMBUS_LATENCY_MIN at least: the guest may signal by a bit in
 *		memory, at which the host looks so often; 0: by a hypercall
 * @user:	user-defined part of the offer
 *
 * Returns the channel's file H (close-on-exec).  Closing it takes the offer back.  Errors:
 * ENXIO (no bus), ENOENT (no such provider), EEXIST (type, instance and index are in
 * use), ENOTCONN (@sub_index, and the guest has not opened the device; OVID_OFFER_SOCKET,
 * and there is no connection), ENOSPC (2047 channels), EINVAL, ENOMEM, EMFILE.
 *
 * OVID_OFFER_SOCKET in @offer_flags, with OVID_OFFER_PIPE: a connection of a Hyper-V socket.  @type
 * is the service's id, @instance the other end's; the first word of @user is zero, the byte
 * behind it is 1 where the host connects to the guest.  It is offered to the connection of the bus
 * that is there, and goes with that.
 */
struct ovid_vmbus_offer {
	__u32 size;
	__u32 flags;
	__u8  provider[OVID_PROVIDER_NAME_LEN];
	__u8  type[16];
	__u8  instance[16];
	__u16 offer_flags;
	__u16 mmio_mb;
	__u16 sub_index;
	__u16 latency;
	__u8  user[OVID_CHANNEL_USER_BYTES];
};

/* ovid_vmbus_offer.offer_flags */
#define OVID_OFFER_PIPE		0x10
#define OVID_OFFER_SOCKET	0x2000

/**
 * struct ovid_vmbus_sockets - OVID_VMBUS_SOCKETS: who takes the connects of the guest's sockets
 * @size:	sizeof(struct ovid_vmbus_sockets)
 * @flags:	must be zero
 *
 * Returns the file C (close-on-exec), where the guest's wishes to connect to a service of the
 * host's are read.  Without it they are refused.  Errors: ENXIO (no bus), EEXIST (there is
 * one), EINVAL, ENOMEM, EMFILE.
 */
struct ovid_vmbus_sockets {
	__u32 size;
	__u32 flags;
};

#define OVID_MAP_MEMORY		_IOW(OVID_IOCTL, 0x10, struct ovid_map_memory)
#define OVID_UNMAP_MEMORY	_IOW(OVID_IOCTL, 0x11, struct ovid_gpa_range)
#define OVID_DISCARD_MEMORY	_IOW(OVID_IOCTL, 0x12, struct ovid_gpa_range)
#define OVID_GET_CPUID		_IOWR(OVID_IOCTL, 0x13, struct ovid_cpuid)
#define OVID_SET_CPUID		_IOW(OVID_IOCTL, 0x14, struct ovid_cpuid)
#define OVID_SET_MSR_POLICY	_IOW(OVID_IOCTL, 0x15, struct ovid_msr_policy)
#define OVID_PARTITION_CTRL	_IOW(OVID_IOCTL, 0x16, struct ovid_partition_ctrl)
#define OVID_GET_PROPERTY	_IOWR(OVID_IOCTL, 0x17, struct ovid_property)
#define OVID_SET_PROPERTY	_IOW(OVID_IOCTL, 0x18, struct ovid_property)
#define OVID_SET_ROUTE		_IOW(OVID_IOCTL, 0x19, struct ovid_route)
#define OVID_INJECT		_IOW(OVID_IOCTL, 0x1A, struct ovid_inject)
#define OVID_SYNIC_PORT		_IOW(OVID_IOCTL, 0x1B, struct ovid_synic_port)
#define OVID_VMBUS_CREATE	_IOW(OVID_IOCTL, 0x1C, struct ovid_vmbus_create)
#define OVID_VMBUS_OFFER	_IOW(OVID_IOCTL, 0x1D, struct ovid_vmbus_offer)
#define OVID_VMBUS_SOCKETS	_IOW(OVID_IOCTL, 0x1E, struct ovid_vmbus_sockets)
#define OVID_GET_STATS_FD	_IO(OVID_IOCTL, 0x1F)	/* P, V and H */
#define OVID_VMBUS_STATE	_IOWR(OVID_IOCTL, 0x40, struct ovid_vmbus_state)

/* ---- V: a virtual processor -------------------------------------------- */

/* mmap() page indexes on V; 0 and 1 are those of mshv.h */
#define OVID_VP_MMAP_RUN	0x1000

/* ovid_run.exit */
#define OVID_EXIT_NONE		0	/* signal or cancel */
#define OVID_EXIT_IO		1	/* one IN or OUT: see access */
#define OVID_EXIT_IO_STRING	2	/* INS, OUTS: the worker decodes @bytes */
#define OVID_EXIT_MMIO		3	/* one decoded load or store: see access */
#define OVID_EXIT_MMIO_RAW	4	/* not decoded: the worker decodes @bytes */
#define OVID_EXIT_EOI		5	/* EOI of level-triggered vector @vector */
#define OVID_EXIT_EXTINT	6	/* the VP takes an ExtINT: put its vector into @value */
#define OVID_EXIT_SHUTDOWN	7	/* triple fault */
#define OVID_EXIT_MSR		8	/* policy gives it to the worker: @address, @value */
#define OVID_EXIT_FAIL		9	/* VM entry failed: see fail */
#define OVID_EXIT_RESET		10	/* the guest asked for a reset by its MSR */
#define OVID_EXIT_CRASH		11	/* the guest says that it crashed: see @value */

/* ovid_run.want: registers to have fresh in the register page at each exit.
 * For IO_STRING and MMIO_RAW all of them always are.
 */
#define OVID_WANT_RIP		(1u << 0)	/* RIP, RSP, RFLAGS */
#define OVID_WANT_SREGS		(1u << 1)	/* segments, CRs, EFER */

/**
 * struct ovid_run - the run page of a VP (mmap OVID_VP_MMAP_RUN, shared)
 * @cancel:	in: while not zero OVID_RUN_VP commits what is pending and
 *		returns 1 before guest code runs; to stop a VP from another
 *		thread set it, then send the VP's thread a signal
 * @want:	in: OVID_WANT_*
 * @exit:	out: OVID_EXIT_*
 * @pad0:	reserved
 * @write:	out: 1 store/OUT/WRMSR, 0 load/IN/RDMSR
 * @access_size: out: bytes: 1, 2, 4, 8
 * @insn_len:	out: instruction bytes in @bytes (RAW and STRING: those that could
 *		be fetched, up to 15)
 * @vector:	out: for EXIT_EOI
 * @address:	out: port, guest physical address or MSR number
 * @value:	out: the value stored, or HV_X64_MSR_CRASH_CTL (the other crash MSRs are
 *		registers HV_REGISTER_GUEST_CRASH_P0 to P4); in, before the next
 *		OVID_RUN_VP: the value loaded (the kernel cuts it to @access_size and
 *		extends it as the instruction says), or the ExtINT's vector (256 and
 *		above: none)
 * @fault:	in, for EXIT_MSR: not zero injects #GP instead
 * @pad1:	reserved
 * @gva:	out: for MMIO exits, the linear address
 * @bytes:	out: the instruction
 * @fail_error:	out: for EXIT_FAIL: VM-instruction error, or basic exit reason
 * @pad2:	reserved
 * @fail_qualification: out: exit qualification
 * @pad3:	reserved
 *
 * RIP is past a decoded access (EXIT_IO, EXIT_MMIO) already; what a load or IN
 * gives is put into its register at the next OVID_RUN_VP.  To have a VP's state
 * whole, call OVID_RUN_VP once with @cancel set.  After IO_STRING and MMIO_RAW the worker changes
 * registers itself (register page or OVID_SET_REGS), RIP included.
 */
struct ovid_run {
	__u32 cancel;
	__u32 want;
	__u8  pad0[56];
	__u32 exit;
	__u8  write;
	__u8  access_size;
	__u8  insn_len;
	__u8  vector;
	__u64 address;
	__u64 value;
	__u32 fault;
	__u32 pad1;
	__u64 gva;
	__u8  bytes[16];
	__u32 fail_error;
	__u32 pad2;
	__u64 fail_qualification;
	__u8  pad3[3960];
};

/**
 * struct ovid_reg - one register by its TLFS name
 * @name:	HV_REGISTER_* or HV_X64_REGISTER_* (hvdef.h)
 * @pad:	must be zero
 * @low:	bits 63:0 of the value
 * @high:	bits 127:64
 */
struct ovid_reg {
	__u32 name;
	__u32 pad[3];
	__u64 low;
	__u64 high;
};

#define OVID_MAX_REGS		128

/* registers that the TLFS has no name for */
#define OVID_REGISTER_MCG_STATUS	0x7F000000
#define OVID_REGISTER_MC0_CTL		0x7F000010	/* to MC3_CTL: 0x7F000013 */
#define OVID_REGISTER_NMIS		0x7F000020	/* NMIs that wait: 0, 1 or 2 */

/**
 * struct ovid_regs - OVID_GET_REGS, OVID_SET_REGS
 * @size:	sizeof(struct ovid_regs)
 * @flags:	must be zero
 * @count:	at most OVID_MAX_REGS
 * @pad:	must be zero
 * @regs:	user address of struct ovid_reg[]
 *
 * Waits while the VP runs in another thread.  Set checks every name and value
 * first: on EINVAL nothing was changed.
 */
struct ovid_regs {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 pad;
	__u64 regs;
};

/* a type of MSHV_GET_VP_STATE beside mshv's: the VP assist page, wherever the guest has it */
#define OVID_VP_STATE_ASSIST		0x80

/*
 * OVID_RUN_VP: runs until something is for the worker; the run page says what.
 * Returns 0, 1 (cancelled; run.exit is NONE), or EINTR for a signal, EIO when
 * the caller's memory is not the partition's, EBUSY when VMX was taken by
 * another hypervisor (state is kept, try again).
 */
#define OVID_RUN_VP		_IO(OVID_IOCTL, 0x20)
#define OVID_GET_REGS		_IOW(OVID_IOCTL, 0x21, struct ovid_regs)
#define OVID_SET_REGS		_IOW(OVID_IOCTL, 0x22, struct ovid_regs)

/* ---- H: a channel ------------------------------------------------------ */

/* ovid_channel_info.state */
#define OVID_CHANNEL_CLOSED	0
#define OVID_CHANNEL_OPENING	1	/* awaits OVID_CHANNEL_REPLY */
#define OVID_CHANNEL_OPEN	2

/**
 * struct ovid_channel_info - OVID_CHANNEL_INFO: what the guest makes of an offer
 * @size:	sizeof(struct ovid_channel_info)
 * @flags:	must be zero
 * @version:	of the connection, major << 16 | minor; 0: there is none
 * @relid:	the guest's number for it; 0: it was not told of it yet
 * @state:	OVID_CHANNEL_*
 * @target_vp:	VP that gets its events, while it is not closed
 */
struct ovid_channel_info {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 relid;
	__u32 state;
	__u32 target_vp;
};

/* ovid_channel_event.kind */
#define OVID_CHANNEL_OPENED	1	/* by the guest, which waits for OVID_CHANNEL_REPLY */
#define OVID_CHANNEL_GONE	2	/* closed: the rings are not the guest's any more */
#define OVID_CHANNEL_RESTORED	3	/* it is open, since before the bus was moved; no reply */

/**
 * struct ovid_channel_event - what is read from a channel that its file serves
 * @kind:	OVID_CHANNEL_*
 * @serial:	of the open: what the reply has to name
 * @target_vp:	VP that gets its events
 * @in_bytes:	data of the ring towards the host
 * @out_bytes:	... towards the guest
 * @version:	of the connection
 * @user:	the guest's words with the open
 *
 * A read gives one, and waits for one; EAGAIN with O_NONBLOCK.  poll() says POLLIN.
 * An open that the guest has taken back before it was read is not told of; each other one is
 * followed by OVID_CHANNEL_GONE, also where it was refused.
 *
 * OVID_CHANNEL_RESTORED stands for an open that another file of the channel was told of, before
 * the bus was moved.  The rings are as that one left them; who reads this looks at them, and
 * signals the guest once, which may have missed a signal.
 *
 * The rings are mapped from offset 0 of the file: the page of the ring towards the host
 * (struct vmbus_w_ring in Linux's terms: write and read index, interrupt mask, ...), its data,
 * the same data once more, then the other ring in the same way.  When the channel is
 * closed, the mapping stays and leads to memory that is nobody's; but what the guest had said and
 * nobody has read is in a copy of the ring towards the host, until OVID_CHANNEL_GONE is read (of up
 * to 1 MiB, if there is memory for it).
 */
struct ovid_channel_event {
	__u32 kind;
	__u32 serial;
	__u32 target_vp;
	__u32 in_bytes;
	__u32 out_bytes;
	__u32 version;
	__u8  user[OVID_CHANNEL_USER_BYTES];
};

/**
 * struct ovid_channel_reply - OVID_CHANNEL_REPLY: the answer to an open
 * @size:	sizeof(struct ovid_channel_reply)
 * @flags:	must be zero
 * @serial:	of the event
 * @refuse:	0: it is open; else an errno, and the guest is told that it failed
 *
 * Errors: ESTALE (the guest has closed it since, or it was answered), EINVAL.
 */
struct ovid_channel_reply {
	__u32 size;
	__u32 flags;
	__u32 serial;
	__u32 refuse;
};

/**
 * struct ovid_channel_eventfd - OVID_CHANNEL_EVENTFD: where the guest's signals go
 * @size:	sizeof(struct ovid_channel_eventfd)
 * @flags:	must be zero
 * @fd:		an eventfd; -1: none
 * @pad:	must be zero
 *
 * It is signalled once when this returns, for what may have come before.
 */
struct ovid_channel_eventfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 pad;
};

#define OVID_CHANNEL_INFO	_IOWR(OVID_IOCTL, 0x30, struct ovid_channel_info)
#define OVID_CHANNEL_REPLY	_IOW(OVID_IOCTL, 0x31, struct ovid_channel_reply)
#define OVID_CHANNEL_EVENTFD	_IOW(OVID_IOCTL, 0x32, struct ovid_channel_eventfd)
/* signals the guest; EINVAL: the channel is not open */
#define OVID_CHANNEL_SIGNAL	_IO(OVID_IOCTL, 0x33)

#define OVID_DISK_SERIAL_BYTES	32
#define OVID_DISK_MAX		64	/* of one controller */

#define OVID_DISK_MAX_PARENTS	31

/* ovid_disk.flags */
#define OVID_DISK_READ_ONLY	(1u << 0)
#define OVID_DISK_DVD		(1u << 1)	/* a drive, and a disc in it */

/* ovid_disk.format: how the disk is stored */
#define OVID_DISK_RAW	0	/* as it is */
#define OVID_DISK_VHD	1	/* fixed or dynamic */
#define OVID_DISK_VHDX	2	/* fixed, dynamic or differencing */

/**
 * struct ovid_disk - OVID_DISK_ATTACH, OVID_DISK_DETACH: a disk of a SCSI controller
 * @size:	sizeof(struct ovid_disk)
 * @flags:	OVID_DISK_*
 * @path:	below 8, and @target, below 2, and @lun, below 64: its address
 * @target:	...
 * @lun:	...
 * @pad:	must be zero
 * @fd:		a regular file or, of a raw disk, a block device; open to read and, without
 *		OVID_DISK_READ_ONLY, to write, without O_APPEND.  A raw disk has 512 bytes or more
 * @serial:	printable ASCII without blanks, padded with zeroes, not empty
 * @format:	OVID_DISK_RAW, ...  It is not guessed: what a raw disk has may be the guest's
 * @nr_parents:	of a differencing VHDX, OVID_DISK_MAX_PARENTS at most; else zero
 * @parents:	address of so many __s32: regular files, open to read: the parent, its parent, ...,
 *		up to one that has none; they are VHDX, and are not written to; else zero
 * @logical_sector: of a raw disk: what the guest reads and writes a multiple of, 512 or 4096; 0: as
 *		the file has it, that is 512 but for block devices; else zero: an image has its own
 * @physical_sector: what it should: 512 or 4096, no less than @logical_sector; 0 with that
 *
 * With OVID_DISK_DVD sectors have 2048 bytes (both fields are zero), @format is OVID_DISK_RAW, @fd
 * is only read, and -1 is an empty drive.
 *
 * To a channel of the provider "scsi".  The disk is there until it is detached, or the
 * channel's file is closed; a guest that has opened the channel is told each time.
 * DETACH waits until nothing of the disk's is read or written any more, and has lost the files when
 * it returns; all but the address must be zero.
 *
 * Nobody else may write to an image that is attached.  It is one that others may open when it was
 * detached, or when OVID_VMBUS_STATE has read the bus's state and the guest has not gone on.  If
 * the process is killed the image is right when it is opened for writing again.
 *
 * Errors: EBADF, EACCES (a file is not open for that), EEXIST (there is a disk), ENOENT (there is
 * none), ENOSPC (OVID_DISK_MAX), ENOTTY (no such channel), EUCLEAN (the image is damaged),
 * EOPNOTSUPP (it has something that is not known), EROFS (it was not closed, and has to be opened
 * for writing once), ESTALE (its parent is not the one it was made from), EINVAL (also: there is
 * not one whole sector; it is none of that format; a parent is missing, or too many), EFAULT, EIO,
 * ENOMEM.
 */
struct ovid_disk {
	__u32 size;
	__u32 flags;
	__u8  path;
	__u8  target;
	__u8  lun;
	__u8  pad;
	__s32 fd;
	__u8  serial[OVID_DISK_SERIAL_BYTES];
	__u32 format;
	__u32 nr_parents;
	__u64 parents;
	__u32 logical_sector;
	__u32 physical_sector;
};

#define OVID_DISK_ATTACH	_IOW(OVID_IOCTL, 0x34, struct ovid_disk)
#define OVID_DISK_DETACH	_IOW(OVID_IOCTL, 0x35, struct ovid_disk)

/**
 * struct ovid_disk_size - OVID_DISK_RESIZE: a disk that the guest has becomes larger or smaller
 * @size:	sizeof(struct ovid_disk_size)
 * @flags:	must be zero
 * @path:	its address, with @target and @lun, as in struct ovid_disk
 * @target:	...
 * @lun:	...
 * @pad:	must be zero
 * @pad2:	must be zero
 * @bytes:	in: of an image (VHD, VHDX): no less than it has; 0, and of a raw disk: as many as
 *		its file or block device has now; out: what the guest is told
 *
 * If that is another size the guest is told: with the next command to the disk by UNIT ATTENTION,
 * CAPACITY DATA HAS CHANGED, and by a word to look again, which makes Linux send one.  What is
 * behind the new end cannot be reached from then on.  What an image has more reads as zeroes;
 * a crash leaves the one size or the other.
 *
 * Errors: ENOENT (there is no disk), EBUSY (it is being detached), EOPNOTSUPP (a raw disk can only
 * be looked at: @bytes is to be 0; a DVD drive), EROFS (the image is read only), ENOTTY (no such
 * channel), EINVAL (also: less than 512 bytes; of an image less than it has, or a size that it
 * cannot have), EIO, ENOSPC, ENOMEM.
 */
struct ovid_disk_size {
	__u32 size;
	__u32 flags;
	__u8  path;
	__u8  target;
	__u8  lun;
	__u8  pad;
	__u32 pad2;
	__u64 bytes;
};

#define OVID_DISK_RESIZE	_IOWR(OVID_IOCTL, 0x36, struct ovid_disk_size)

/**
 * struct ovid_disk_info - OVID_DISK_INFO: what a disk is
 * @size:	sizeof(struct ovid_disk_info)
 * @flags:	in: must be zero; out: OVID_DISK_*
 * @path:	its address, with @target and @lun, as in struct ovid_disk
 * @target:	...
 * @lun:	...
 * @pad:	must be zero
 * @block_bytes: out: its blocks
 * @bytes:	out: all of them
 * @requests:	out: reads, writes, flushes, ... that its file was asked for
 * @under_way:	out: of them, those that have not ended
 * @pad2:	out: zero
 *
 * Errors: ENOENT (there is no disk), ENOTTY (no such channel), EINVAL.
 */
struct ovid_disk_info {
	__u32 size;
	__u32 flags;
	__u8  path;
	__u8  target;
	__u8  lun;
	__u8  pad;
	__u32 block_bytes;
	__u64 bytes;
	__u64 requests;
	__u32 under_way;
	__u32 pad2;
};

#define OVID_DISK_INFO		_IOWR(OVID_IOCTL, 0x37, struct ovid_disk_info)

/* ovid_disk_medium.flags */
#define OVID_DISK_FORCE		(1u << 0)	/* though the guest keeps the disc */

/**
 * struct ovid_disk_medium - OVID_DISK_MEDIUM: another disc in a DVD drive, or none
 * @size:	sizeof(struct ovid_disk_medium)
 * @flags:	OVID_DISK_FORCE
 * @path:	its address, with @target and @lun, as in struct ovid_disk
 * @target:	...
 * @lun:	...
 * @pad:	must be zero
 * @fd:		the disc: a regular file or a block device, open to read, 2048 bytes or more; -1:
 *		none
 *
 * What is being read is waited for; the file of the disc that was there is lost when it returns.
 * The drive is closed then.  The guest is told by an event, and, of another disc, by UNIT
 * ATTENTION, MEDIUM MAY HAVE CHANGED.
 *
 * A disc that the guest keeps (PREVENT ALLOW MEDIUM REMOVAL) stays, without OVID_DISK_FORCE: EBUSY,
 * and the guest is told that somebody would like to have it.
 *
 * Errors: EBADF, EACCES, EBUSY (also: somebody else changes or detaches it), ENOENT (there is no
 * disk), EOPNOTSUPP (it is no DVD drive), ETIMEDOUT, EINTR (as OVID_DISK_DETACH), ENOTTY (no such
 * channel), EINVAL, ENOMEM.
 */
struct ovid_disk_medium {
	__u32 size;
	__u32 flags;
	__u8  path;
	__u8  target;
	__u8  lun;
	__u8  pad;
	__s32 fd;
};

#define OVID_DISK_MEDIUM	_IOW(OVID_IOCTL, 0x3b, struct ovid_disk_medium)

/* ovid_disk_limit.flags */
#define OVID_DISK_LIMIT_SET	(1u << 0)	/* there is another limit from now on */

/**
 * struct ovid_disk_limit - OVID_DISK_LIMIT: how much a disk does in a second
 * @size:	sizeof(struct ovid_disk_limit)
 * @flags:	OVID_DISK_LIMIT_SET, or zero: only to ask
 * @path:	its address, with @target and @lun, as in struct ovid_disk
 * @target:	...
 * @lun:	...
 * @pad:	must be zero
 * @requests:	in: with OVID_DISK_LIMIT_SET reads, writes, flushes, ... in a second, 0: any number;
 *		else zero; out: what is so now
 * @bytes:	the same, of bytes that are read and written
 * @waited:	in: zero; out: requests that had to wait, so far
 * @waiting:	in: zero; out: those that wait now
 * @pad2:	must be zero
 *
 * What is above a limit waits, in order, before it begins; requests for other disks go on.  After a
 * pause a tenth of a second's worth is done at once.  A guest that has too much waiting is told
 * that the disk is busy (TASK SET FULL).
 *
 * What waits ends with an error (ABORTED COMMAND, I/O PROCESS TERMINATED) when the guest resets or
 * closes the channel, and when the disk is detached.  It is done at once when OVID_VMBUS_STATE
 * reads the bus's state.  A limit is not in that state.
 *
 * Errors: ENOENT (there is no disk), ENOTTY (no such channel), EINVAL.
 */
struct ovid_disk_limit {
	__u32 size;
	__u32 flags;
	__u8  path;
	__u8  target;
	__u8  lun;
	__u8  pad;
	__u32 requests;
	__u64 bytes;
	__u64 waited;
	__u32 waiting;
	__u32 pad2;
};

#define OVID_DISK_LIMIT		_IOWR(OVID_IOCTL, 0x3a, struct ovid_disk_limit)

/* ---- C: connects of the guest's sockets --------------------------------- */

#define OVID_MAX_CONNECTS	64

/**
 * struct ovid_socket_connect - what is read from C: the guest wants to connect
 * @id:		what the reply has to name
 * @endpoint:	id of the guest's end
 * @service:	id of the service that it wants
 * @silo:	of the service; zero from most guests
 *
 * A read gives one, and waits for one; EAGAIN with O_NONBLOCK.  poll() says POLLIN.
 * OVID_MAX_CONNECTS wait for a reply at a time, read or not; more are refused at once.  Closing
 * the last copy of the file refuses all of them.  Those of a connection of the bus that has ended
 * are forgotten.
 */
struct ovid_socket_connect {
	__u64 id;
	__u8  endpoint[16];
	__u8  service[16];
	__u8  silo[16];
};

/**
 * struct ovid_socket_reply - OVID_SOCKET_REPLY: the answer to a connect
 * @size:	sizeof(struct ovid_socket_reply)
 * @flags:	must be zero
 * @id:		of the connect
 * @refuse:	an errno, and the guest is told; 0: the offer of its channel is the answer, which
 *		was made before (OVID_VMBUS_OFFER: @service as type, @endpoint as instance)
 * @pad:	must be zero
 *
 * Errors: ESTALE (it was answered, or its connection has ended), EINVAL.
 */
struct ovid_socket_reply {
	__u32 size;
	__u32 flags;
	__u64 id;
	__u32 refuse;
	__u32 pad;
};

#define OVID_SOCKET_REPLY	_IOW(OVID_IOCTL, 0x38, struct ovid_socket_reply)

/* ---- B: /dev/ovid-vsock, sockets of the host's (AF_VSOCK) ------------------- */

/**
 * struct ovid_vsock_bind - OVID_VSOCK_BIND: a VM is reached by a CID, while the file is open
 * @size:	sizeof(struct ovid_vsock_bind)
 * @flags:	must be zero
 * @partition:	file P, whose bus exists
 * @cid:	3 or more, not VMADDR_CID_ANY
 *
 * Its guest's connects go to sockets of the host's that listen, as from this CID, and sockets that
 * connect to this CID reach it.  It takes the place of file C.  When the file is closed the
 * connections end.  Errors: EBUSY (the file has bound one), EADDRINUSE (the CID is in use), EEXIST
 * (file C is open, or another CID is bound), ENXIO (no bus), EBADF, EINVAL (@partition is none;
 * @cid), EIO, ENOMEM.
 */
struct ovid_vsock_bind {
	__u32 size;
	__u32 flags;
	__s32 partition;
	__u32 cid;
};

#define OVID_VSOCK_BIND		_IOW(OVID_IOCTL, 0x39, struct ovid_vsock_bind)

/* ---- statistics: the file of OVID_GET_STATS_FD ------------------------- */

/**
 * struct ovid_stats_header - at offset 0 of a statistics file (read only)
 * @version:	1
 * @count:	descriptors and values
 * @desc_offset: of struct ovid_stats_desc[count]
 * @value_offset: of __u64[count], read live
 * @name:	NUL-terminated: the partition's name, "/vpN" behind it for a VP,
 *		"/chanN-PROVIDER" for a channel
 */
struct ovid_stats_header {
	__u32 version;
	__u32 count;
	__u32 desc_offset;
	__u32 value_offset;
	__u8  name[48];
};

#define OVID_STAT_GAUGE		(1u << 0)  /* goes up and down; else it only grows */

/**
 * struct ovid_stats_desc - what one value is
 * @name:	NUL-terminated, lower case
 * @flags:	OVID_STAT_*
 * @pad:	zero
 */
struct ovid_stats_desc {
	__u8  name[24];
	__u32 flags;
	__u32 pad;
};

#endif
