// SPDX-License-Identifier: GPL-2.0-only
/*
 * late-reset TAKE GIVE - a VM is reset while another hypervisor has VMX: TAKE
 * is the shell command after which it has, GIVE that after which it has not.
 * Exit status: 0 when the VP is as after a reset then, else 1 with the reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../api/lib/ov.h"
#include "../api/lib/tap.h"

CODE16(stop16, STOP16);

static int fails(const char *what)
{
	fprintf(stderr, "late-reset: %s\n", what);
	return 1;
}

int main(int argc, char **argv)
{
	struct ovid_reg rip = { .name = HV_X64_REGISTER_RIP };
	struct ov_vm vm;

	if (argc != 3)
		return fails("TAKE and GIVE?");
	ov_vm_create(&vm, 1 << 20, stop16, CODE_LEN(stop16));
	if (ov_ctrl(vm.part, OVID_CTRL_PAUSE) || system(argv[1]))
		return fails("it was not paused, or VMX not taken");
	if (ov_get_regs(vm.vp, &rip, 1) != -EBUSY)
		return fails("VMX was to be had");
	if (ov_ctrl(vm.part, OVID_CTRL_RESET) || ov_ctrl(vm.part, OVID_CTRL_RESUME))
		return fails("reset refused");
	if (ov_run(vm.vp) != -EBUSY)
		return fails("VMX was to be had after the reset");
	if (system(argv[2]))
		return fails("VMX was not given back");
	if (ov_get(vm.vp, HV_X64_REGISTER_RIP) != 0xfff0 ||
	    ov_get128(vm.vp, HV_X64_REGISTER_CS).low != 0xffff0000)
		return fails("the VP is not as after a reset");
	return 0;
}
