/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SCSI disks and DVD drives (pure): what a command asks for, and what is answered without
 * looking at the medium.  After SPC-4, SBC-3 and MMC-6, as far as Linux and Windows ask.
 *
 *   scsi.c		the table of commands; those that move data
 *   scsi_info.c	what a unit is: INQUIRY, modes, capacity, logs
 *   scsi_reserve.c	persistent reservations
 *   dvd.c		what only a DVD drive knows
 *
 * A command is decoded first, by ovid_scsi_decode(); some have a parameter list from the guest, and
 * go on with ovid_scsi_parameters() when that is there.
 */
#ifndef OVID_STORAGE_SCSI_H
#define OVID_STORAGE_SCSI_H

#include "../../vmm/purelib.h"
#include "../../vmm/types.h"

#define SCSI_GOOD		0x00
#define SCSI_CHECK_CONDITION	0x02
#define SCSI_CONFLICT		0x18	/* of a reservation */
#define SCSI_TASK_SET_FULL	0x28

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
#define SENSE_NO_RELEASE	SENSE(0x5, 0x26, 0x04)	/* of a reservation of another type */
#define SENSE_PREVENTED		SENSE(0x5, 0x53, 0x02)	/* the tray is locked */
#define SENSE_TERMINATED	SENSE(0xb, 0x00, 0x06)	/* before it has begun */
#define SENSE_MISCOMPARE	SENSE(0xe, 0x1d, 0x00)
#define SENSE_IN_PROGRESS	SENSE(0x2, 0x04, 0x07)	/* not ready: try again */
#define SENSE_NO_MEDIUM		SENSE(0x2, 0x3a, 0x01)	/* and the tray is closed */
#define SENSE_TRAY_OPEN		SENSE(0x2, 0x3a, 0x02)
#define SENSE_BUS_RESET		SENSE(0x6, 0x29, 0x02)
#define SENSE_MEDIUM_CHANGED	SENSE(0x6, 0x28, 0x00)
#define SENSE_LUNS_CHANGED	SENSE(0x6, 0x3f, 0x0e)
#define SENSE_CAPACITY_CHANGED	SENSE(0x6, 0x2a, 0x09)
#define SENSE_CONFLICT		~0u	/* no sense, but the status SCSI_CONFLICT */

#define SCSI_SENSE_BYTES	18
#define SCSI_DATA_BYTES		4096	/* room that scsi_decode() needs for an answer */
#define SCSI_SERIAL_BYTES	32
#define SCSI_MAX_LUNS		64	/* of a target */
#define SCSI_MAX_UNMAP		64	/* pieces of one UNMAP */
#define SCSI_MAX_COMPARE	65536	/* bytes of one COMPARE AND WRITE; 255 blocks, too */
#define SCSI_DVD_BLOCK		2048

/**
 * struct ovid_scsi_disk - what a command is looked at for
 * @blocks: of @block_bytes; 0: a DVD drive without a medium
 * @block_bytes: 512 or 4096; of a DVD: SCSI_DVD_BLOCK
 * @physical_bytes: what the medium writes at a time: a power of two of them
 * @max_transfer: bytes of one request
 * @dvd: it is a DVD drive
 * @read_only: it may not be written to
 * @unmaps: unused blocks may be given back
 * @serial: printable; the rest is zeroes
 */
struct ovid_scsi_disk {
	u64 blocks;
	u32 block_bytes;
	u32 physical_bytes;
	u32 max_transfer;
	bool dvd;
	bool read_only;
	bool unmaps;
	u8 serial[SCSI_SERIAL_BYTES];
};

/* unit attentions, in the order that they are told in */
enum ovid_scsi_attention {
	ATTENTION_BUS_RESET,
	ATTENTION_MEDIUM,
	ATTENTION_LUNS,
	ATTENTION_CAPACITY,
	ATTENTIONS
};

/* of MMC's media events; @event of a unit's state */
enum ovid_scsi_event {
	EVENT_NONE,
	EVENT_EJECT,		/* the operator asks for the medium */
	EVENT_NEW_MEDIUM,
	EVENT_NO_MEDIUM,
	EVENTS
};

/**
 * struct ovid_scsi_reserve - registration and reservation
 * @key: of the registration
 * @generation: counts changes of registrations
 * @registered: there is one
 * @type: of the reservation, as SPC numbers them; 0: there is none.  It is registered then
 *
 * There is one I_T nexus, the channel: the registration and the reservation are its own, and no
 * read or write meets a conflict.  They do not outlive the VM (no APTPL), but a reset.
 */
struct ovid_scsi_reserve {
	u64 key;
	u32 generation;
	bool registered;
	u8 type;
};

/**
 * struct ovid_scsi_state - what commands change
 * @attentions: bits of enum ovid_scsi_attention, to be told
 * @write_through: the guest has switched the write cache off
 * @prevented: it keeps the tray closed
 * @tray_open: of a DVD drive; its medium is not to be read meanwhile
 * @event: of a DVD drive, to be told
 * @reserve: reservations
 */
struct ovid_scsi_state {
	u32 attentions;
	bool write_through;
	bool prevented;
	bool tray_open;
	u8 event;
	struct ovid_scsi_reserve reserve;
};

enum ovid_scsi_do {
	SCSI_DO_ANSWER,		/* it is done: sense, or data for the guest */
	SCSI_DO_LUNS,		/* REPORT LUNS: the caller knows; @alloc counts */
	SCSI_DO_READ,
	SCSI_DO_WRITE,
	SCSI_DO_FLUSH,
	SCSI_DO_UNMAP,		/* the list comes from the guest: @data_bytes of it */
	SCSI_DO_ZERO,		/* if the block that comes from the guest is, or there is none */
	SCSI_DO_VERIFY,		/* the guest's data is what is there */
	SCSI_DO_WRITE_VERIFY,	/* it is written, and then that */
	/*
	 * If the first half of the guest's data is what is there, the other is written; nothing
	 * else is done meanwhile.  @bytes is one half.
	 */
	SCSI_DO_COMPARE_WRITE,
	SCSI_DO_PARAMETERS,	/* a list of the guest's: ovid_scsi_parameters() */
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
 * @disk: unit; NULL: there is none at that address
 * @state: of it, or NULL; commands change it
 * @cdb: 16 bytes, a copy; what is behind the command is zeroes
 * @cdb_bytes: of it, as the guest says
 * @req: out
 * @data: out: SCSI_DATA_BYTES, for SCSI_DO_ANSWER
 */
void ovid_scsi_decode(const struct ovid_scsi_disk *disk, struct ovid_scsi_state *state,
		      const u8 *cdb, u32 cdb_bytes, struct ovid_scsi_request *req, u8 *data);

/**
 * ovid_scsi_parameters - what to do with a parameter list
 * @disk: unit
 * @state: of it
 * @cdb: as ovid_scsi_decode() has had it
 * @req: in: as that has left it, SCSI_DO_PARAMETERS; out: SCSI_DO_ANSWER or SCSI_DO_FLUSH
 * @list: a copy, @req->data_bytes of it
 */
void ovid_scsi_parameters(const struct ovid_scsi_disk *disk, struct ovid_scsi_state *state,
			  const u8 *cdb, struct ovid_scsi_request *req, const u8 *list);

/* the guest is to be told; until it has asked */
static inline void ovid_scsi_attend(struct ovid_scsi_state *state,
				    enum ovid_scsi_attention attention)
{
	state->attentions |= BIT(attention);
}

/* it can be so: what is restored may be forged */
bool ovid_scsi_state_ok(const struct ovid_scsi_state *state);

/*
 * Back to defaults, but for reservations and the tray.  @attentions: bits of what the guest is
 * told; none: it begins anew, and had no other state in mind.
 */
void ovid_scsi_reset(struct ovid_scsi_state *state, u32 attentions);

/* somebody wants a DVD drive's medium: false: the guest keeps it, and is told */
bool ovid_scsi_may_take(struct ovid_scsi_state *state);
/* a DVD drive's medium has gone, or another has come: the guest's next commands say so */
void ovid_scsi_medium(struct ovid_scsi_state *state, bool there);

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

/* sense data in fixed format, SCSI_SENSE_BYTES; not of SENSE_CONFLICT */
void ovid_scsi_sense(u32 sense, u8 *data);
/* its INFORMATION field: where a difference was, in bytes */
void ovid_scsi_sense_info(u32 info, u8 *data);

#endif
