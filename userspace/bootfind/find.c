// SPDX-License-Identifier: GPL-2.0-only
/* find.c - see find.h */
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bls.h"
#include "find.h"
#include "grubcfg.h"
#include "uki.h"
#include "volumes.h"

#define MAX_ENTRIES	64

enum found { NOTHING, FOUND, BROKEN };

struct finder {
	struct volumes volumes;
	struct boot_choice choice;
	struct failure why;	/* of BROKEN */
	char from[64];		/* how it was found */
};

static struct boot_file file_at(const char *device, const char *folder, const char *name)
{
	struct boot_file file;

	snprintf(file.device, BOOT_DEVICE, "%s", device);
	if ((size_t)snprintf(file.path, BOOT_PATH, "%s%s", folder, name) >= BOOT_PATH)
		file.path[0] = 0;
	return file;
}

/* ---- files of the boot loader specification ---- */

static bool take_entry(struct finder *f, struct bls_entry *e, const char *device, const char *folder, const char *name)
{
	struct boot_file file = file_at(device, folder, name);
	bool good;
	size_t len;
	char *text;

	*e = (struct bls_entry){ 0 };
	if (!bls_name(e, name, ".conf"))
		return false;
	text = volumes_read(&f->volumes, &file, &len);
	good = text && bls_parse(e, text, len, device);
	free(text);
	return good;
}

/* what is in a file is looked at when it has been chosen */
static bool take_image(struct bls_entry *e, const char *device, const char *folder, const char *name)
{
	*e = (struct bls_entry){ 0 };
	if (!bls_name(e, name, ".efi"))
		return false;
	e->choice.kernel = file_at(device, folder, name);
	e->choice.unified = true;
	snprintf(e->choice.title, sizeof(e->choice.title), "%s", e->name);
	return e->choice.kernel.path[0];
}

static unsigned int take_folder(struct finder *f, struct bls_entry *e, unsigned int room, const char *device,
				const char *folder, bool images)
{
	struct names names;
	unsigned int nr = 0;

	if (!volumes_names(&f->volumes, device, folder, &names))
		return 0;
	for (unsigned int i = 0; i < names.nr && nr < room; i++)
		nr += images ? take_image(&e[nr], device, folder, names.name[i]) :
			       take_entry(f, &e[nr], device, folder, names.name[i]);
	names_free(&names);
	return nr;
}

static int by_order(const void *a, const void *b)
{
	return bls_compare(a, b);
}

/* the first that loader.conf or GRUB's environment names, or the first */
static const struct bls_entry *pick(struct bls_entry *e, unsigned int nr, const char *wanted)
{
	qsort(e, nr, sizeof(*e), by_order);
	for (unsigned int i = 0; *wanted && i < nr; i++) {
		char with_end[BLS_NAME + 8];

		snprintf(with_end, sizeof(with_end), "%s%s", e[i].name, e[i].choice.unified ? ".efi" : ".conf");
		if (!fnmatch(wanted, with_end, 0) || !fnmatch(wanted, e[i].name, 0) || !strcmp(wanted, e[i].choice.title))
			return &e[i];
	}
	return e;
}

static bool find_entries(struct finder *f, const char *device, const char *loader, bool images, const char *wanted)
{
	struct bls_entry *e = calloc(MAX_ENTRIES, sizeof(*e));
	char folder[BOOT_PATH];
	unsigned int nr;

	if (!e)
		return false;
	snprintf(folder, sizeof(folder), "%s/entries/", loader);
	nr = take_folder(f, e, MAX_ENTRIES, device, folder, false);
	if (images)
		nr += take_folder(f, e + nr, MAX_ENTRIES - nr, device, "/EFI/Linux/", true);
	if (nr)
		f->choice = pick(e, nr, wanted)->choice;
	free(e);
	return nr;
}

static enum found find_loader(struct finder *f, const char *device, const struct names *top)
{
	static const char *const loaders[] = { "/loader", "/boot/loader" };
	char wanted[128] = "";

	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		struct boot_file conf = file_at(device, loaders[i], "/loader.conf");
		bool at_top = !i, may = names_have(top, i ? "boot/" : "loader/") || (at_top && names_have(top, "EFI/"));
		size_t len;
		char *text = may ? volumes_read(&f->volumes, &conf, &len) : NULL;

		if (text)
			bls_value(text, len, "default", wanted, sizeof(wanted));
		free(text);
		if (may && find_entries(f, device, loaders[i], at_top, wanted)) {
			snprintf(f->from, sizeof(f->from), "%s", f->choice.unified ? "EFI/Linux" : "loader/entries");
			return FOUND;
		}
	}
	return NOTHING;
}

/* ---- grub.cfg ---- */

static bool grub_search(void *ctx, enum grub_search by, const char *what, char *device)
{
	struct finder *f = ctx;

	for (unsigned int i = 0; i < f->volumes.nr; i++) {
		const struct volume *vol = &f->volumes.volume[i];
		struct boot_file file;
		bool is = false;

		if (by == GRUB_BY_UUID) {
			is = *vol->uuid && !strcasecmp(what, vol->uuid);
		} else if (by == GRUB_BY_LABEL) {
			is = *vol->label && !strcmp(what, vol->label);
		} else {
			struct names names;

			file = file_at(vol->device, what, "");
			is = volumes_names(&f->volumes, file.device, file.path, &names);
			names_free(&names);
		}
		if (is) {
			snprintf(device, BOOT_DEVICE, "%s", vol->device);
			return true;
		}
	}
	return false;
}

static bool grub_exists(void *ctx, const struct boot_file *file)
{
	struct finder *f = ctx;
	struct names names;
	bool is = volumes_names(&f->volumes, file->device, file->path, &names);

	names_free(&names);
	return is;
}

static char *grub_read(void *ctx, const struct boot_file *file, size_t *len)
{
	struct finder *f = ctx;

	return volumes_read(&f->volumes, file, len);
}

static const struct grub_ops grub_ops = {
	.search = grub_search, .exists = grub_exists, .read = grub_read,
};

/* entries whose options are variables of GRUB's */
static void expand_options(struct finder *f, const struct boot_file *cfg)
{
	struct boot_file env = *cfg;
	char *slash = strrchr(env.path, '/'), *text, out[BOOT_ARGS], *args = f->choice.args;
	size_t len = 0, used = 0;

	if (!slash || !strchr(args, '$') || slash - env.path > BOOT_PATH - 16)
		return;
	strcpy(slash, "/grubenv");
	text = volumes_read(&f->volumes, &env, &len);
	while (*args) {
		char name[48], value[BOOT_ARGS];
		size_t n;

		if (*args != '$') {
			if (used < BOOT_ARGS - 1)
				out[used++] = *args;
			args++;
			continue;
		}
		n = strspn(++args, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		snprintf(name, sizeof(name), "%.*s", (int)n, args);
		args += n;
		if (text && grub_env_get(text, len, name, value, sizeof(value)))
			used += snprintf(out + used, BOOT_ARGS - used, "%s", value);
		if (used > BOOT_ARGS - 1)
			used = BOOT_ARGS - 1;
	}
	out[used] = 0;
	memcpy(f->choice.args, out, used + 1);
	free(text);
}

static bool find_grub_entries(struct finder *f, const struct boot_file *cfg)
{
	char device[BOOT_DEVICE], wanted[128];

	memcpy(device, f->choice.kernel.device, sizeof(device));
	snprintf(wanted, sizeof(wanted), "%s", f->choice.title);
	if (!find_entries(f, device, "/loader", false, wanted) &&
	    !find_entries(f, device, "/boot/loader", false, wanted))
		return false;
	expand_options(f, cfg);
	return true;
}

static enum found try_grub(struct finder *f, const char *device, const char *path)
{
	struct boot_file cfg = file_at(device, path, "");
	bool found = false;

	snprintf(f->from, sizeof(f->from), "grub.cfg");
	switch (grub_choose(&grub_ops, f, &cfg, &f->choice)) {
	case GRUB_CHOICE:
		found = true;
		break;
	case GRUB_BLS:
		found = find_grub_entries(f, &cfg);
		break;
	case GRUB_NO_LINUX:
		fail_text(&f->why, "--boot-from-disk: the entry that %.40s starts by itself, '%.60s', is no Linux; name a kernel by --kernel",
			  path, f->choice.title);
		return BROKEN;
	case GRUB_NONE:
		break;
	}
	return found ? FOUND : NOTHING;
}

/* on an EFI system partition, each system has its folder */
static enum found try_esp(struct finder *f, const char *device)
{
	enum found found = NOTHING;
	char path[BOOT_PATH];
	struct names names;

	if (!volumes_names(&f->volumes, device, "/EFI/", &names))
		return NOTHING;
	for (unsigned int i = 0; i < names.nr && found == NOTHING; i++)
		if ((size_t)snprintf(path, sizeof(path), "/EFI/%sgrub.cfg", names.name[i]) < sizeof(path) &&
		    strchr(names.name[i], '/'))
			found = try_grub(f, device, path);
	names_free(&names);
	return found;
}

static enum found find_grub(struct finder *f, const char *device, const struct names *top)
{
	static const struct {
		const char *top, *path;
	} places[] = {
		{ "boot/", "/boot/grub/grub.cfg" }, { "boot/", "/boot/grub2/grub.cfg" },
		{ "grub/", "/grub/grub.cfg" }, { "grub2/", "/grub2/grub.cfg" },
	};
	enum found found = NOTHING;

	for (size_t i = 0; i < ARRAY_SIZE(places) && found == NOTHING; i++)
		if (names_have(top, places[i].top))
			found = try_grub(f, device, places[i].path);
	if (found == NOTHING && names_have(top, "EFI/"))
		found = try_esp(f, device);
	return found;
}

/* ---- no boot loader: Debian's links to its newest kernel ---- */

static enum found find_links(struct finder *f, const char *device, const struct names *top)
{
	struct boot_choice *c = &f->choice;

	if (!names_have(top, "vmlinuz"))
		return NOTHING;
	*c = (struct boot_choice){ .kernel = file_at(device, "/vmlinuz", ""), .title = "vmlinuz" };
	if (names_have(top, "initrd.img"))
		c->initrd[c->nr_initrds++] = file_at(device, "/initrd.img", "");
	for (unsigned int i = 0; i < f->volumes.nr; i++)
		if (!strcmp(f->volumes.volume[i].device, device) && *f->volumes.volume[i].uuid)
			snprintf(c->args, sizeof(c->args), "root=UUID=%s ro", f->volumes.volume[i].uuid);
	snprintf(f->from, sizeof(f->from), "/vmlinuz");
	return FOUND;
}

static enum found find_choice(struct finder *f)
{
	static enum found (*const ways[])(struct finder *f, const char *device, const struct names *top) = {
		find_grub, find_loader, find_links,
	};
	enum found found = NOTHING;

	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		for (unsigned int i = 0; i < f->volumes.nr && found == NOTHING; i++) {
			const char *device = f->volumes.volume[i].device;
			struct names top;

			if (volumes_names(&f->volumes, device, "/", &top))
				found = ways[w](f, device, &top);
			names_free(&top);
		}
	}
	return found;
}

/* ---- what was chosen ---- */

static int copy_part(int from, const struct uki_part *part, struct failure *why)
{
	int fd = memfd_create("ovid-boot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	off_t at = part->off;
	u64 left = part->len;

	while (fd >= 0 && left) {
		char buf[65536];
		ssize_t n = pread(from, buf, min_u64(left, sizeof(buf)), at);

		if (n <= 0 || write(fd, buf, n) != n) {
			close(fd);
			fd = -1;
			break;
		}
		at += n;
		left -= n;
	}
	if (fd < 0)
		return fail(why, OVID_X_HOST, "cannot take a kernel apart: %s", strerror(errno));
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	return fd;
}

/* the command line ends with a newline, or a zero, or the part */
static void take_cmdline(int fd, const struct uki_part *part, char *args)
{
	ssize_t n = pread(fd, args, min_u64(part->len, BOOT_ARGS - 1), part->off);

	args[n > 0 ? n : 0] = 0;
	n = strlen(args);
	while (n && strchr(" \t\r\n", args[n - 1]))
		args[--n] = 0;
	for (char *c = args; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

static int take_apart(int fd, struct boot_found *found, const char *path, struct failure *why)
{
	u8 head[UKI_HEAD];
	struct stat st;
	struct uki uki;
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0 || fstat(fd, &st) || !uki_parse(head, n, st.st_size, &uki))
		return fail(why, OVID_X_USAGE, "--boot-from-disk: %.100s is no unified kernel image for x86-64", path);
	found->kernel = copy_part(fd, &uki.kernel, why);
	if (found->kernel < 0)
		return found->kernel;
	if (uki.initrd.len) {
		found->initrd[0] = copy_part(fd, &uki.initrd, why);
		if (found->initrd[0] < 0)
			return found->initrd[0];
		found->nr_initrds = 1;
	}
	take_cmdline(fd, &uki.cmdline, found->args);
	return 0;
}

static int open_file(struct finder *f, const struct boot_file *file, struct failure *why)
{
	int fd = volumes_open(&f->volumes, file);

	if (fd >= 0)
		return fd;
	if (f->volumes.status) {
		*why = f->volumes.why;
		return f->volumes.status;
	}
	return fail(why, OVID_X_USAGE, "--boot-from-disk: %s names %.100s, which is not on the disk", f->from,
		    file->path);
}

static int take_out(struct finder *f, struct boot_found *found, struct failure *why)
{
	const struct boot_choice *c = &f->choice;
	int fd = open_file(f, &c->kernel, why), ret;

	if (fd < 0)
		return fd;
	snprintf(found->what, sizeof(found->what), "%.90s, by %s", c->kernel.path, f->from);
	if (c->unified) {
		ret = take_apart(fd, found, c->kernel.path, why);
		close(fd);
		return ret;
	}
	found->kernel = fd;
	memcpy(found->args, c->args, sizeof(found->args));
	for (unsigned int i = 0; i < c->nr_initrds; i++) {
		found->initrd[i] = open_file(f, &c->initrd[i], why);
		if (found->initrd[i] < 0)
			return found->initrd[i];
		found->nr_initrds++;
	}
	return 0;
}

static int look(struct finder *f, struct view *view, struct boot_found *found, struct failure *why)
{
	int ret = volumes_list(&f->volumes, view, why);
	enum found result;

	if (ret)
		return ret;
	result = find_choice(f);
	if (f->volumes.status) {
		*why = f->volumes.why;
		return f->volumes.status;
	}
	if (result == BROKEN) {
		*why = f->why;
		return fail_status(OVID_X_USAGE);
	}
	if (result == NOTHING)
		return fail(why, OVID_X_USAGE,
			    "--boot-from-disk: of %u filesystems none has grub.cfg, loader/entries, EFI/Linux/*.efi or /vmlinuz; give --kernel",
			    f->volumes.nr);
	return take_out(f, found, why);
}

int boot_find(struct view *view, struct boot_found *found, struct failure *why)
{
	struct finder *f = calloc(1, sizeof(*f));
	int ret;

	*found = (struct boot_found){ .kernel = -1 };
	if (!f)
		return fail(why, OVID_X_HOST, "out of memory");
	ret = look(f, view, found, why);
	free(f);
	return ret;
}
