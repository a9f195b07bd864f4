// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a disk says of how it is booted (userspace/bootfind): any bytes as a grub.cfg with its
 * environment, as an entry of the boot loader specification, and as a unified kernel image.
 */
#include <stdlib.h>
#include <string.h>

#include "../../userspace/bootfind/bls.h"
#include "../../userspace/bootfind/grubcfg.h"
#include "../../userspace/bootfind/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool is)
{
	if (!is)
		abort();
}

static bool ends(const char *text, size_t size)
{
	return memchr(text, 0, size);
}

/* the input is every file that there is */
struct disk {
	const char *text;
	size_t len;
	unsigned int reads;
};

static bool search(void *ctx, enum grub_search by, const char *what, char *device)
{
	strcpy(device, "loop0,gpt2");
	return strlen(what) & 1;
}

static bool exists(void *ctx, const struct boot_file *file)
{
	must(ends(file->device, BOOT_DEVICE) && ends(file->path, BOOT_PATH) && *file->path == '/');
	return strlen(file->path) & 1;
}

static char *read_text(void *ctx, const struct boot_file *file, size_t *len)
{
	struct disk *d = ctx;
	char *copy;

	must(ends(file->device, BOOT_DEVICE) && ends(file->path, BOOT_PATH) && *file->path == '/');
	/* as often as one that reads itself may, and its environment */
	must(d->reads++ < 200000);
	copy = malloc(d->len ?: 1);
	if (copy)
		memcpy(copy, d->text, d->len);
	*len = d->len;
	return copy;
}

static void check_choice(const struct boot_choice *c)
{
	must(c->nr_initrds <= BOOT_INITRDS && ends(c->args, BOOT_ARGS) && ends(c->title, sizeof(c->title)));
	must(ends(c->kernel.device, BOOT_DEVICE) && ends(c->kernel.path, BOOT_PATH) && *c->kernel.path == '/');
	for (unsigned int i = 0; i < c->nr_initrds; i++)
		must(ends(c->initrd[i].device, BOOT_DEVICE) && *c->initrd[i].path == '/');
}

static void grub(const char *text, size_t len)
{
	static const struct grub_ops ops = { .search = search, .exists = exists, .read = read_text };
	struct disk d = { text, len };
	struct boot_choice choice;
	char value[64];

	if (grub_choose(&ops, &d, &(struct boot_file){ "loop0", "/boot/grub/grub.cfg" }, &choice) == GRUB_CHOICE)
		check_choice(&choice);
	if (grub_env_get(text, len, "saved_entry", value, sizeof(value)))
		must(ends(value, sizeof(value)));
}

static void entry(const char *text, size_t len)
{
	struct bls_entry a = { "x" }, b = { "y" };

	if (bls_parse(&a, text, len, "loop0"))
		check_choice(&a.choice);
	bls_parse(&b, text + len / 2, len - len / 2, "loop0");
	must((bls_compare(&a, &b) > 0) == (bls_compare(&b, &a) < 0));
	must(!bls_compare(&a, &a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct uki uki;

	if (!len || len > 65536)
		return 0;
	if (*data % 4 == 0 && uki_parse(data + 1, len - 1, 2 * len, &uki))
		must(uki.kernel.off + uki.kernel.len <= 2 * len && uki.initrd.off + uki.initrd.len <= 2 * len);
	else if (*data % 4 == 1)
		entry((const char *)data + 1, len - 1);
	else
		grub((const char *)data + 1, len - 1);
	return 0;
}
