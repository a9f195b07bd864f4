// SPDX-License-Identifier: GPL-2.0-only
/* volumes.c - see volumes.h */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "volumes.h"

/* ---- what the program prints ---- */

static int run(struct volumes *v, const char *const *words)
{
	int fd = memfd_create("ovid-boot", MFD_CLOEXEC | MFD_ALLOW_SEALING), ret;

	if (v->status || fd < 0)
		return -1;
	ret = view_run(v->view, words, fd, &v->why);
	if (ret == -OVID_X_HOST)
		v->status = ret;
	/* the program is gone; nobody changes what it wrote */
	if (!ret && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return fd;
	close(fd);
	return -1;
}

static char *text_of(int fd, size_t *len)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) || (u64)st.st_size > BOOT_TEXT)
		return NULL;
	text = calloc(1, st.st_size + 1);
	if (text && pread(fd, text, st.st_size, 0) != st.st_size) {
		free(text);
		return NULL;
	}
	*len = st.st_size;
	return text;
}

static char *run_text(struct volumes *v, const char *const *words, size_t *len)
{
	int fd = run(v, words);
	char *text = fd < 0 ? NULL : text_of(fd, len);

	if (fd >= 0)
		close(fd);
	return text;
}

/* ---- volumes ---- */

int volumes_list(struct volumes *v, struct view *view, struct failure *why)
{
	static const char *const words[] = { "ls", "--", "-l", NULL };
	size_t len;
	char *text;

	v->view = view;
	text = run_text(v, words, &len);
	if (v->status) {
		*why = v->why;
		return v->status;
	}
	if (text)
		volumes_parse(v, text, len);
	free(text);
	if (!v->nr)
		return fail(why, OVID_X_USAGE, "--boot-from-disk: no filesystem was found on the disk");
	return 0;
}

/* ---- files ---- */

static bool grub_path(const struct boot_file *file, char *path, size_t size)
{
	return volumes_is_device(file->device) && *file->path == '/' &&
	       (size_t)snprintf(path, size, "(%s)%s", file->device, file->path) < size;
}

int volumes_open(struct volumes *v, const struct boot_file *file)
{
	char path[BOOT_DEVICE + BOOT_PATH + 4];
	const char *const words[] = { "cat", path, NULL };

	return grub_path(file, path, sizeof(path)) ? run(v, words) : -1;
}

char *volumes_read(struct volumes *v, const struct boot_file *file, size_t *len)
{
	int fd = volumes_open(v, file);
	char *text = fd < 0 ? NULL : text_of(fd, len);

	if (fd >= 0)
		close(fd);
	return text;
}

bool volumes_names(struct volumes *v, const char *device, const char *folder, struct names *names)
{
	char path[BOOT_DEVICE + BOOT_PATH + 4], *at = NULL;
	const char *const words[] = { "ls", path, NULL };
	struct boot_file file;
	size_t len;

	*names = (struct names){ 0 };
	snprintf(file.device, BOOT_DEVICE, "%s", device);
	snprintf(file.path, BOOT_PATH, "%s", folder);
	if (grub_path(&file, path, sizeof(path)))
		names->text = run_text(v, words, &len);
	if (!names->text)
		return false;
	for (char *name = strtok_r(names->text, "\n ", &at); name && names->nr < MAX_NAMES;
	     name = strtok_r(NULL, "\n ", &at))
		names->name[names->nr++] = name;
	if (!names->nr)
		names_free(names);
	return names->nr;
}

void names_free(struct names *names)
{
	free(names->text);
	*names = (struct names){ 0 };
}

bool names_have(const struct names *names, const char *name)
{
	for (unsigned int i = 0; i < names->nr; i++)
		if (!strcasecmp(names->name[i], name))
			return true;
	return false;
}
