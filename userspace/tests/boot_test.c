// SPDX-License-Identifier: GPL-2.0-only
/* what a disk's own configuration says is to be booted: bootfind's pure files */
#include <stdlib.h>
#include <string.h>

#include "../bootfind/bls.h"
#include "../bootfind/grubcfg.h"
#include "../bootfind/uki.h"
#include "../bootfind/volumes.h"
#include "tap.h"

/* ---- grub.cfg ---- */

/* a disk of two files and a filesystem with a name */
struct disk {
	const char *cfg, *env, *other;
};

static bool search(void *ctx, enum grub_search by, const char *what, char *device)
{
	(void)ctx;
	if (by != GRUB_BY_UUID || strcmp(what, "1234-ABCD"))
		return false;
	strcpy(device, "loop0,gpt2");
	return true;
}

static const char *text_of(const struct disk *d, const struct boot_file *f)
{
	if (!strcmp(f->path, "/boot/grub/grub.cfg") && !strcmp(f->device, "loop0,gpt1"))
		return d->cfg;
	if (!strcmp(f->path, "/boot/grub/grubenv"))
		return d->env;
	return !strcmp(f->path, "/grub/grub.cfg") && !strcmp(f->device, "loop0,gpt2") ? d->other : NULL;
}

static bool exists(void *ctx, const struct boot_file *file)
{
	return text_of(ctx, file);
}

static char *read_text(void *ctx, const struct boot_file *file, size_t *len)
{
	const char *text = text_of(ctx, file);

	*len = text ? strlen(text) : 0;
	return text ? strdup(text) : NULL;
}

static const struct grub_ops ops = { .search = search, .exists = exists, .read = read_text };
static struct boot_choice choice;

static enum grub_result choose(const char *cfg, const char *env)
{
	struct disk d = { .cfg = cfg, .env = env, .other = "menuentry other { linux /k2 two; initrd /i2; }" };

	return grub_choose(&ops, &d, &(struct boot_file){ "loop0,gpt1", "/boot/grub/grub.cfg" }, &choice);
}

/* "DEVICE PATH ARGS" of what is chosen */
static const char *chosen(const char *cfg, const char *env)
{
	static char text[1024];

	if (choose(cfg, env) != GRUB_CHOICE)
		return "";
	snprintf(text, sizeof(text), "%s %s %.400s", choice.kernel.device, choice.kernel.path, choice.args);
	return text;
}

#define IS(cfg, env, want, name) CHECK(!strcmp(chosen(cfg, env), want), "grub: %s (%s)", name, chosen(cfg, env))

#define TWO "menuentry 'One' --class x --id one { linux /a first; }\n" \
	"submenu \"More of it\" --id more {\n menuentry Two --id two { linux /b 'se cond' ; initrd /i (hd0,gpt3)/j }\n" \
	" menuentry Three { linux /c }\n}\nmenuentry Four {\n linux /d\n}\n"

static void test_grub(void)
{
	IS("menuentry x {\n linux /vmlinuz root=/dev/sda1 ro\n}\n", NULL, "loop0,gpt1 /vmlinuz root=/dev/sda1 ro", "an entry");
	IS(TWO, NULL, "loop0,gpt1 /a first", "the first is the default");
	IS("set default=2\n" TWO, NULL, "loop0,gpt1 /d ", "or the one of a number");
	IS("default=one\n" TWO, NULL, "loop0,gpt1 /a first", "of an ID");
	IS("set default='more>two'\n" TWO, NULL, "loop0,gpt1 /b se cond", "in a submenu");
	CHECK(choice.nr_initrds == 2 && !strcmp(choice.initrd[0].path, "/i") &&
	      !strcmp(choice.initrd[1].device, "loop0,gpt3"), "grub: initrds");
	IS("set default='1>1'\n" TWO, NULL, "loop0,gpt1 /c ", "by numbers");
	IS("set default=more\n" TWO, NULL, "loop0,gpt1 /b se cond", "a submenu's first");
	IS("set default=nobody\n" TWO, NULL, "loop0,gpt1 /a first", "one that is not there");
	IS("if [ -s $prefix/grubenv ]; then\n load_env\nfi\nset default=\"${saved_entry}\"\n" TWO,
	   "# GRUB Environment Block\nsaved_entry=more>two\n####", "loop0,gpt1 /b se cond", "one that was saved");
	IS("if [ x$feature_menuentry_id = xy ]; then menuentry_id_option=\"--id\"; else menuentry_id_option=\"\"; fi\n"
	   "set default=q\nmenuentry a { linux /a }\nmenuentry b $menuentry_id_option 'q' { linux /q }", NULL,
	   "loop0,gpt1 /q ", "IDs as Debian gives them");
	IS("menuentry x {\n search --no-floppy --fs-uuid --set=root --hint-bios=hd0,gpt1 1234-abcd\n linux /k\n}", NULL,
	   "loop0,gpt1 /k ", "a search that finds nothing leaves the root");
	IS("menuentry x {\n search --no-floppy --fs-uuid --set=root 1234-ABCD\n linux /k\n}", NULL, "loop0,gpt2 /k ",
	   "a search");
	IS("search.fs_uuid 1234-ABCD root hd0,gpt2\nset prefix=($root)'/grub'\nconfigfile $prefix/grub.cfg\n", NULL,
	   "loop0,gpt2 /k2 two", "a configuration that names another");
	IS("set root='hd0,msdos1'\nmenuentry x { linux (hd1,gpt2)/k; }", NULL, "loop0,gpt2 /k ", "disks are one");
	IS("if false; then\n menuentry a { linux /a }\nelif [ a = b -o ! -z c ]; then\n menuentry b { linux /b }\nelse\n"
	   " menuentry c { linux /c }\nfi", NULL, "loop0,gpt1 /b ", "if, elif, else");
	IS("if [ -z a ]; then if true; then menuentry a { linux /a }; fi; else menuentry b { linux /b }; fi", NULL,
	   "loop0,gpt1 /b ", "if in if");
	IS("function f {\n menuentry no { linux /no }\n}\nfor i in a b; do echo $i; done\nmenuentry yes { linux /yes }", NULL,
	   "loop0,gpt1 /yes ", "functions and loops are passed over");
	IS("menuentry x { linux /k a\\ b \"c $root\" 'd $root' # no\n}", NULL, "loop0,gpt1 /k a b c loop0,gpt1 d $root",
	   "quotes");
	IS("menuentry x { linux /k a \\\n b\n}", NULL, "loop0,gpt1 /k a b", "a line that goes on");
	CHECK(choose("menuentry w { chainloader /x }", NULL) == GRUB_NO_LINUX && !strcmp(choice.title, "w"),
	      "grub: an entry without a kernel");
	CHECK(choose("insmod blscfg\nblscfg\nset default=abc", NULL) == GRUB_BLS && !strcmp(choice.title, "abc"),
	      "grub: entries elsewhere");
	CHECK(choose("", NULL) == GRUB_NONE && choose("}\nfi\nthen }", NULL) == GRUB_NONE &&
	      choose("menuentry", NULL) == GRUB_NONE, "grub: nothing");
	CHECK(choose("source /boot/grub/grub.cfg", NULL) == GRUB_NONE, "grub: a file that reads itself ends");
}

static void test_deep(void)
{
	size_t n = 200000;
	char *text = malloc(n + 1);
	enum grub_result result;

	for (size_t i = 0; i < n; i++)
		text[i] = "if "[i % 3];
	text[n] = 0;
	result = choose(text, NULL);
	CHECK(result == GRUB_NONE, "grub: as deep as it likes");
	memset(text, 'a', n);
	memcpy(text, "menuentry x { linux /k ", 23);
	CHECK(choose(text, NULL) == GRUB_CHOICE && strlen(choice.args) < BOOT_ARGS, "grub: a long word");
	free(text);
}

/* ---- the boot loader specification ---- */

static void test_bls(void)
{
	static const char text[] = "# it\ntitle  A Linux\t\nversion 6.1\nsort-key k\nlinux /v\ninitrd i1\ninitrd /i2\n"
				   "options root=x\noptions quiet\narchitecture X64\n";
	struct bls_entry e = { 0 }, o = { 0 };

	CHECK(bls_name(&e, "a-b.conf", ".conf") && !strcmp(e.name, "a-b") && !e.tried, "bls: a name");
	CHECK(bls_parse(&e, text, strlen(text), "loop0") && !strcmp(e.choice.title, "A Linux") &&
	      !strcmp(e.choice.kernel.path, "/v") && e.choice.nr_initrds == 2 &&
	      !strcmp(e.choice.initrd[0].path, "/i1") && !strcmp(e.choice.args, "root=x quiet"), "bls: an entry");
	CHECK(!bls_parse(&o, "linux /v\narchitecture aa64", 25, "loop0"), "bls: another architecture");
	CHECK(bls_name(&o, "x+0-3.conf", ".conf") && !strcmp(o.name, "x") && o.tried, "bls: tried too often");
	CHECK(bls_compare(&e, &o) < 0, "bls: comes last");
	CHECK(!bls_name(&o, ".conf", ".conf") && !bls_name(&o, "a.efi", ".conf"), "bls: no name");
	CHECK(bls_version("6.9", "6.10") < 0 && bls_version("6.1", "6.1~rc1") > 0 && bls_version("6.1", "6.1.1") < 0 &&
	      bls_version("a", "b") < 0 && bls_version("007", "7") == 0 && bls_version("6.1-1", "6.1.1") < 0,
	      "bls: versions");
}

/* ---- unified kernel images ---- */

static void put32(u8 *p, u32 v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> (8 * i);
}

static void put_section(u8 *s, const char *name, u32 len, u32 raw, u32 off)
{
	memcpy(s, name, strlen(name));
	put32(s + 8, len);
	put32(s + 16, raw);
	put32(s + 20, off);
}

static void test_uki(void)
{
	u8 head[1024] = "MZ";
	struct uki uki;

	put32(head + 0x3c, 0x80);
	memcpy(head + 0x80, "PE\0\0\x64\x86\x03\0", 8);
	head[0x94] = 16;
	put_section(head + 0xa8, ".linux", 100, 512, 1024);
	put_section(head + 0xd0, ".cmdline", 7, 512, 1536);
	put_section(head + 0xf8, ".linux", 9, 512, 1536);
	CHECK(uki_parse(head, sizeof(head), 2048, &uki) && uki.kernel.off == 1024 && uki.kernel.len == 100 &&
	      uki.cmdline.len == 7 && !uki.initrd.len, "uki: its parts, the first of each");
	CHECK(!uki_parse(head, sizeof(head), 1600 - 60, &uki), "uki: one behind the end");
	CHECK(!uki_parse(head, 0x100, 2048, &uki), "uki: a table that is cut");
	head[0x84] = 0x64 ^ 1;
	CHECK(!uki_parse(head, sizeof(head), 2048, &uki), "uki: another machine");
}

/* ---- filesystems ---- */

static void test_volumes(void)
{
	static const char text[] =
		"Device proc: Filesystem type procfs - Sector size 512B\n"
		"Device loop0: No known filesystem detected - Sector size 512B\n"
		"\tPartition loop0,gpt1: Filesystem type ext* - Label `my root' - Last UUID 6f76-00 - Partition start\n"
		"\tPartition loop0,gpt2: Filesystem type fat, UUID 12AB-34CD - Partition start\n"
		"\tPartition loop0)/x(host: Filesystem type fat, UUID 1 -\n"
		"Device lvm/vg-root: Filesystem type xfs, UUID 99 -\n"
		"Device host: Filesystem type hostfs - Sector\n";
	struct volumes *v = calloc(1, sizeof(*v));

	volumes_parse(v, text, strlen(text));
	CHECK(v->nr == 3 && !strcmp(v->volume[0].device, "loop0,gpt1") && !strcmp(v->volume[0].uuid, "6f76-00") &&
	      !strcmp(v->volume[0].label, "my root") && !strcmp(v->volume[1].uuid, "12AB-34CD") &&
	      !strcmp(v->volume[2].device, "lvm/vg-root"), "filesystems of the disk, and no others (%u)", v->nr);
	free(v);
}

int main(void)
{
	test_grub();
	test_deep();
	test_bls();
	test_uki();
	test_volumes();
	return tap_done();
}
