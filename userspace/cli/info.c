// SPDX-License-Identifier: GPL-2.0-only
/* info.c - `ovid info`: this host, or one VM. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/hv.h"
#include "../lib/vid.h"
#include "cli.h"
#include "run.h"

static const struct {
	u32 bit;
	const char *name;
} caps[] = {
	{ OVID_CAP_X2APIC,		"x2apic" },
	{ OVID_CAP_TPR_SHADOW,		"tpr-shadow" },
	{ OVID_CAP_APICV,		"apicv" },
	{ OVID_CAP_POSTED_INTR,		"posted-interrupts" },
	{ OVID_CAP_EPT_1G,		"ept-1g" },
	{ OVID_CAP_EPT_AD,		"ept-ad" },
	{ OVID_CAP_PML,			"pml" },
	{ OVID_CAP_TSC_SCALING,		"tsc-scaling" },
	{ OVID_CAP_PREEMPT_TIMER,	"preemption-timer" },
	{ OVID_CAP_VMX_SCOPED,		"vmx-scoped" },
};

/* What is true of the host whatever the module says. */
struct host {
	bool vmx, kvm_loaded, module_loaded;
	char lacks[64];		/* of what VMX must offer, as far as /proc/cpuinfo tells */
};

/* Whether a line of @path has @word, in the whole line or as its first word. */
static bool file_has(const char *path, const char *start, const char *word)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		size_t len = strlen(word);
		char *at = line;

		if (strncmp(line, start, strlen(start)))
			continue;
		while (!found && (at = strstr(at, word))) {
			bool begins = at == line || at[-1] == ' ' || at[-1] == '\t';

			found = begins && (at[len] == ' ' || at[len] == '\n' || !at[len]);
			at += len;
		}
	}
	if (f)
		fclose(f);
	return found;
}

static void vmx_lacks(char *text, size_t len)
{
	static const struct { const char *flag, *name; } need[] = {
		{ "ept", "EPT" }, { "unrestricted_guest", "unrestricted guest" },
		{ "vpid", "VPID" },
	};
	int n = 0;

	text[0] = 0;
	/* kernels without that line do not tell */
	if (!file_has("/proc/cpuinfo", "vmx flags", ":"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(need); i++)
		if (!file_has("/proc/cpuinfo", "vmx flags", need[i].flag))
			n += snprintf(text + n, len - n, "%s%s", n ? ", " : "", need[i].name);
}

static struct host look_at_host(void)
{
	struct host host = {
		.vmx = file_has("/proc/cpuinfo", "flags", "vmx"),
		.kvm_loaded = file_has("/proc/modules", "kvm_intel", "kvm_intel"),
		.module_loaded = file_has("/proc/modules", "ovid ", "ovid"),
	};

	vmx_lacks(host.lacks, sizeof(host.lacks));
	return host;
}

static const char *remedy(const struct host *host, const struct ovid_info *info)
{
	if (info && (info->blockers & OVID_BLOCK_VMX_BUSY))
		return "stop that hypervisor's guests and `modprobe -r kvm_intel`, or boot with kvm.enable_virt_at_load=0";
	if (info && (info->blockers & OVID_BLOCK_NO_VMX))
		return "switch VT-x on in the firmware's setup, or take a machine (or an outer VM) with VMX";
	if ((info && (info->blockers & OVID_BLOCK_CAPS)) || host->lacks[0])
		return "take a machine with EPT, unrestricted guest and VPID";
	if (!host->vmx)
		return "the CPU shows no VMX: switch VT-x on in the firmware's setup, or take another machine";
	return "";
}

/* what a partition has of the hypervisor interface: features by number, as bits */
static u32 hv_features(int dev)
{
	struct ovid_cpuid_entry e[OVID_MAX_CPUID];
	u32 count = OVID_MAX_CPUID, found = 0;
	int part = vid_create_partition(dev, 0, "info");

	if (part < 0)
		return 0;
	if (!vid_get_cpuid(part, e, &count) && count <= OVID_MAX_CPUID)
		for (unsigned int n = 0; hv_name(n); n++)
			found |= hv_has(e, count, n) ? BIT(n) : 0;
	close(part);
	return found;
}

/* those that a guest has by default, or, if there are any, those that can be asked for */
static struct json_object *hv_json(u32 features, bool optional)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int n = 0; hv_name(n); n++)
		if (optional ? features && hv_optional(n) : features & BIT(n))
			json_object_array_add(list, json_object_new_string(hv_name(n)));
	return list;
}

#define MITIGATIONS	"/sys/module/ovid/parameters/mitigations"

/* what the module does against leaks by speculation, in words; it tells without privilege */
static void mitigations(char *text, size_t len)
{
	FILE *f = fopen(MITIGATIONS, "re");

	if (!f || !fgets(text, len, f))
		text[0] = 0;
	text[strcspn(text, "\n")] = 0;
	if (f)
		fclose(f);
}

static struct json_object *mitigations_json(void)
{
	struct json_object *list = json_object_new_array();
	char text[256], *at = text, *word;

	mitigations(text, sizeof(text));
	while ((word = strsep(&at, " ")))
		if (*word && strcmp(word, "none"))
			json_object_array_add(list, json_object_new_string(word));
	return list;
}

static struct json_object *host_json(const struct host *host, const struct ovid_info *info,
				     u32 hv, const char *reason)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	bool can = info && !info->blockers;

	json_object_object_add(o, "can_run", json_object_new_boolean(can));
	json_object_object_add(o, "reason", json_object_new_string(reason));
	json_object_object_add(o, "remedy",
			       json_object_new_string(can ? "" : remedy(host, info)));
	json_object_object_add(o, "cpu_vmx", json_object_new_boolean(host->vmx));
	json_object_object_add(o, "kvm_intel_loaded", json_object_new_boolean(host->kvm_loaded));
	for (size_t i = 0; info && i < ARRAY_SIZE(caps); i++)
		if (info->caps & caps[i].bit)
			json_object_array_add(list, json_object_new_string(caps[i].name));
	json_object_object_add(o, "caps", list);
	json_object_object_add(o, "hv", hv_json(hv, false));
	json_object_object_add(o, "hv_optional", hv_json(hv, true));
	json_object_object_add(o, "mitigations", mitigations_json());
	if (!info)
		return o;
	json_object_object_add(o, "module_version",
			       json_object_new_string((const char *)info->module_version));
	json_object_object_add(o, "abi_version", json_object_new_int(info->abi_version));
	json_object_object_add(o, "blockers", json_object_new_int64(info->blockers));
	json_object_object_add(o, "max_vps", json_object_new_int64(info->max_vps));
	json_object_object_add(o, "max_gsis", json_object_new_int64(info->max_gsis));
	json_object_object_add(o, "max_regions", json_object_new_int64(info->max_regions));
	json_object_object_add(o, "phys_bits", json_object_new_int64(info->phys_bits));
	json_object_object_add(o, "tsc_khz", json_object_new_int64(info->tsc_khz));
	json_object_object_add(o, "partitions", json_object_new_int64(info->partitions));
	return o;
}

static void print_host(const struct host *host, const struct ovid_info *info, u32 hv,
		       const char *reason)
{
	bool can = info && !info->blockers;
	char text[256];

	printf("can run:     %s%s\n", can ? "yes" : "no: ", can ? "" : reason);
	if (!can && *remedy(host, info))
		printf("what to do:  %s\n", remedy(host, info));
	printf("CPU:         %s\n", host->vmx ? "VMX" : "no VMX");
	if (host->kvm_loaded)
		printf("note:        kvm_intel is loaded; it may hold VMX\n");
	if (!info)
		return;
	printf("module:      ovid %s, ABI %u, built for Linux %u.%u.%u\n", info->module_version,
	       info->abi_version, info->kernel_version >> 16, info->kernel_version >> 8 & 0xff,
	       info->kernel_version & 0xff);
	printf("limits:      %u VPs, %u interrupt routes, %u memory regions in a partition\n",
	       info->max_vps, info->max_gsis, info->max_regions);
	printf("addresses:   %u bits of guest physical address\n", info->phys_bits);
	printf("TSC:         %u.%03u MHz\n", info->tsc_khz / 1000, info->tsc_khz % 1000);
	printf("partitions:  %u now\n", info->partitions);
	printf("can do:     ");
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		if (info->caps & caps[i].bit)
			printf(" %s", caps[i].name);
	printf("\n");
	printf("Hyper-V:    ");
	for (unsigned int n = 0; hv_name(n); n++)
		if (hv & BIT(n))
			printf(" %s", hv_name(n));
		else if (hv && hv_optional(n))
			printf(" (%s)", hv_name(n));
	printf("\n");
	mitigations(text, sizeof(text));
	if (*text)
		printf("mitigations: %s\n", text);
}

static int host_info(bool json)
{
	struct host host = look_at_host();
	struct failure why = { "" };
	struct ovid_info info, *have = NULL;
	int fd = device_open(VID_DEVICE, &why), ret;
	u32 hv = 0;

	if (fd >= 0) {
		ret = vid_get_info(fd, &info);
		if (ret)
			fail_text(&why, "%s does not answer: %s", VID_DEVICE, strerror(-ret));
		else
			have = &info;
		if (have && !info.blockers)
			hv = hv_features(fd);
		close(fd);
	}
	if (have) {
		info.reason[sizeof(info.reason) - 1] = 0;
		info.module_version[sizeof(info.module_version) - 1] = 0;
		fail_text(&why, "%s", info.reason);
	} else if (host.lacks[0]) {
		fail_text(&why, "the CPU lacks %s", host.lacks);
	}
	if (json) {
		struct json_object *o = host_json(&host, have, hv, why.text);

		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
		json_object_put(o);
	} else {
		print_host(&host, have, hv, why.text);
	}
	return have && !info.blockers ? 0 : OVID_X_HOST;
}

static const char *text_of(struct json_object *value)
{
	if (json_object_is_type(value, json_type_boolean))
		return json_object_get_boolean(value) ? "yes" : "no";
	return json_object_get_string(value);
}

static int vm_info(const struct cli_target *t)
{
	struct json_object *answer;
	struct failure why = { "" };
	int fd = ctl_connect(t->name, &why);

	if (fd < 0)
		return cli_fail(fd, &why);
	answer = ctl_ask(fd, "info", NULL, NULL, &why);
	close(fd);
	if (!answer)
		return cli_fail(-OVID_X_HOST, &why);
	json_object_object_del(answer, "ok");
	if (t->json) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	} else {
		json_object_object_foreach(answer, key, value)
			printf("%-8s %s\n", key, text_of(value));
	}
	json_object_put(answer);
	return 0;
}

int cli_info(int argc, char **argv)
{
	struct failure why = { "" };
	struct cli_target t;
	int ret = cli_target(argc, argv, true, &t, &why);

	if (ret || t.help)
		return cli_fail(ret, &why);
	return t.name ? vm_info(&t) : host_info(t.json);
}
