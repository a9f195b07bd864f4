// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC once more, for lapic_kunit.ko: an object can be part of one
 * module only.
 */
#define OVID_TRACE_H		/* its trace points are in ovid.ko */
#include "vp.h"

static inline void trace_irq_post(const struct ovid_vp *vp, u8 vector, bool level)
{
}

#include "lapic.c"
#include "lapic_dest.c"
#include "lapic_state.c"
#include "lapic_timer.c"
