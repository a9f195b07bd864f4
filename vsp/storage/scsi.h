/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SCSI disks (pure): what a command asks for, and what is answered without looking at
 * the medium.  After SPC-4 and SBC-3, as far as Linux and Windows ask.
 */
#ifndef OVID_STORAGE_SCSI_H
#define OVID_STORAGE_SCSI_H

#include "../../vmm/purelib.h"
#include "../../vmm/types.h"

#define SCSI_GOOD		0x00
#define SCSI_CHECK_CONDITION	0x02

/* sense: key << 16 | code << 8 | qualifier; 0: none */
#define SENSE(key, asc, ascq)	((key) << 16 | (asc) << 8 | (ascq))
#define SENSE_NONE		0u
#define SENSE_NO_LUN		SENSE(0x5, 0x25, 0x00)
#define SENSE_BAD_OPCODE	SENSE(0x5, 0x20, 0x00)
#define SENSE_BAD_FIELD		SENSE(0x5, 0x24, 0x00)
#define SENSE_BAD_PARAMETER	SENSE(0x5, 0x26, 0x00)
#define SENSE_BAD_LENGTH	SENSE(0x5, 0x1a, 0x00)	/* of the parameter list */
#define SENSE_OUT_OF_RANGE	SENSE(0x5, 0x21, 0x00)
#define SENSE_READ_ERROR	SENSE(0x3, 0x11, 0x00)
#define SENSE_WRITE_ERROR	SENSE(0x3, 0x0c, 0x00)
#define SENSE_HARDWARE		SENSE(0x4, 0x44, 0x00)
#define SENSE_WRITE_PROTECTED	SENSE(0x7, 0x27, 0x00)
#define SENSE_SPACE		SENSE(0x7, 0x27, 0x07)	/* space allocation failed */
#define SENSE_BUS_RESET		SENSE(0x6, 0x29, 0x02)
#define SENSE_CAPACITY_CHANGED	SENSE(0x6, 0x2a, 0x09)

#define SCSI_SENSE_BYTES	18
#define SCSI_DATA_BYTES		4096	/* room that scsi_decode() needs for an answer */
#define SCSI_SERIAL_BYTES	32
#define SCSI_MAX_LUNS		64	/* of a target */
#define SCSI_MAX_UNMAP		64	/* pieces of one UNMAP */

/**
 * struct ovid_scsi_disk - what a command is looked at for
 * @blocks: of @block_bytes
 * @block_bytes: 512 or 4096
 * @max_transfer: bytes of one request
 * @read_only: it may not be written to
 * @unmaps: unused blocks may be given back
 * @serial: printable; the rest is zeroes
 */
struct ovid_scsi_disk {
	u64 blocks;
	u32 block_bytes;
	u32 max_transfer;
	bool read_only;
	bool unmaps;
	u8 serial[SCSI_SERIAL_BYTES];
};

enum ovid_scsi_do {
	SCSI_DO_ANSWER,		/* it is done: sense, or data for the guest */
	SCSI_DO_LUNS,		/* REPORT LUNS: the caller knows; @alloc counts */
	SCSI_DO_READ,
	SCSI_DO_WRITE,
	SCSI_DO_FLUSH,
	SCSI_DO_UNMAP,		/* the list comes from the guest: @data_bytes of it */
	SCSI_DO_ZERO,		/* if the block that comes from the guest is, or there is none */
};

/**
 * struct ovid_scsi_request - what a command asks for
 * @todo: what
 * @sense: with SCSI_DO_ANSWER: 0, or why not
 * @offset: bytes
 * @bytes: of the medium
 * @data_bytes: with SCSI_DO_ANSWER: of the answer; else from or to the guest
 * @alloc: as much of an answer as the guest wants
 * @fua: it is on the medium when it is answered
 * @may_unmap: zeroes may be a hole
 */
struct ovid_scsi_request {
	enum ovid_scsi_do todo;
	u32 sense;
	u64 offset;
	u64 bytes;
	u32 data_bytes;
	u32 alloc;
	bool fua;
	bool may_unmap;
};

/**
 * ovid_scsi_decode - what to do
 * @disk: disk; NULL: there is none at that address
 * @cdb: 16 bytes, a copy; what is behind the command is zeroes
 * @cdb_bytes: of it, as the guest says
 * @attention: in, out: sense of a unit attention that is to be told; 0: none
 * @req: out
 * @data: out: SCSI_DATA_BYTES, for SCSI_DO_ANSWER
 */
void ovid_scsi_decode(const struct ovid_scsi_disk *disk, const u8 *cdb, u32 cdb_bytes,
		      u32 *attention, struct ovid_scsi_request *req, u8 *data);

/**
 * ovid_scsi_luns - the answer to REPORT LUNS
 * @luns: bits: the target's units
 * @alloc: bytes that the guest wants
 * @data: out: SCSI_DATA_BYTES
 *
 * Return: bytes of it, @alloc at most.
 */
u32 ovid_scsi_luns(u64 luns, u32 alloc, u8 *data);

struct ovid_scsi_extent {
	u64 offset;
	u64 bytes;
};

/**
 * ovid_scsi_unmap_list - the pieces of an UNMAP
 * @disk: disk
 * @list: parameter list, a copy
 * @bytes: of it
 * @extents: out: SCSI_MAX_UNMAP
 * @sense: out: 0, or why not; then nothing is to be done
 *
 * Return: how many pieces; empty ones are left out.
 */
u32 ovid_scsi_unmap_list(const struct ovid_scsi_disk *disk, const u8 *list, u32 bytes,
			 struct ovid_scsi_extent *extents, u32 *sense);

/* sense data in fixed format, SCSI_SENSE_BYTES */
void ovid_scsi_sense(u32 sense, u8 *data);

#endif
