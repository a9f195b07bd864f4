// SPDX-License-Identifier: GPL-2.0-only
/*
 * crash.c - what a guest says of its crash (TLFS: Partition Crash Enlightenment):
 * five numbers, and perhaps a text in its memory.  The guest goes on: it may write
 * a dump, or reset.
 */
#include "machine.h"

#define CTL_MESSAGE	BIT(62)	/* P3 and P4: where the text is, and its bytes */
#define MAX_REPORTS	16		/* a guest can say so as often as it likes */
#define MAX_TEXT	4096

static bool is_text(u8 c)
{
	return c >= 0x20 && c < 0x7f;
}

/* line by line; what is not text becomes a dot */
static void report_text(struct machine *m, u64 gpa, u64 len)
{
	u8 text[MAX_TEXT];
	u64 from = 0;

	if (len > sizeof(text))
		len = sizeof(text);
	if (gmem_read(&m->mem, gpa, text, len))
		return;
	for (u64 i = 0; i <= len; i++) {
		if (i < len && text[i] && text[i] != '\n') {
			if (!is_text(text[i]))
				text[i] = '.';
			continue;
		}
		if (i > from)
			machine_note(m, "guest: %.*s", (int)(i - from), text + from);
		if (i < len && !text[i])
			return;
		from = i + 1;
	}
}

void machine_crashed(struct machine *m, struct vp *vp, u64 ctl)
{
	struct ovid_reg p[5] = { 0 };

	if (m->crashes++ >= MAX_REPORTS)
		return;
	for (u32 i = 0; i < 5; i++)
		p[i].name = HV_REGISTER_GUEST_CRASH_P0 + i;
	if (vid_get_regs(vp->fd, p, 5))
		return;
	machine_note(m, "the guest reports a crash on VP %u: %#llx %#llx %#llx %#llx %#llx",
		     vp->index, (unsigned long long)p[0].low, (unsigned long long)p[1].low,
		     (unsigned long long)p[2].low, (unsigned long long)p[3].low,
		     (unsigned long long)p[4].low);
	if (ctl & CTL_MESSAGE)
		report_text(m, p[3].low, p[4].low);
}
