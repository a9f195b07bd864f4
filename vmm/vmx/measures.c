// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done against leaks by speculation, see measures.h.
 * Source: Documentation/admin-guide/hw-vuln/{l1tf,spectre}.rst of Linux.
 */
#include "measures.h"

static enum vmx_when l1d_when(const struct vmx_host_says *host, enum vmx_when choice)
{
	if (host->l1tf && host->l1d_forced)
		return VMX_ALWAYS;
	if (choice != VMX_AUTO)
		return choice;
	return host->l1tf ? host->l1d : VMX_NEVER;
}

static enum vmx_when ibpb_when(const struct vmx_host_says *host, enum vmx_when choice)
{
	if (!host->has_ibpb)
		return VMX_NEVER;
	if (choice != VMX_AUTO)
		return choice;
	return host->ibpb ? VMX_COND : VMX_NEVER;
}

struct vmx_measures vmx_measures(const struct vmx_host_says *host, enum vmx_when l1d,
				 enum vmx_when ibpb)
{
	struct vmx_measures m = {
		.l1d = l1d_when(host, l1d),
		.ibpb = ibpb_when(host, ibpb),
	};

	m.l1d_by_reads = m.l1d != VMX_NEVER && !host->flush_cmd;
	if (host->l1tf && !host->quiet) {
		m.warn_l1d = m.l1d == VMX_NEVER;
		m.warn_smt = host->smt;
	}
	m.warn_ibpb = !host->has_ibpb && (ibpb == VMX_COND || ibpb == VMX_ALWAYS);
	return m;
}
