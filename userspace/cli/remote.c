// SPDX-License-Identifier: GPL-2.0-only
/* remote.c - verbs that talk to a running VM: pause … kill, wait, console, list. */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "cli.h"

int cli_target(int argc, char **argv, bool optional, struct cli_target *t,
	       struct failure *why)
{
	*t = (struct cli_target){ 0 };
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json") && strcmp(argv[0], "console"))
			t->json = true;
		else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			t->help = true;
		else if (argv[i][0] == '-' || t->name)
			return fail(why, OVID_X_USAGE, "%s: unexpected; see `ovid %s --help`",
				    argv[i], argv[0]);
		else
			t->name = argv[i];
	}
	if (t->help) {
		cli_help(argv[0]);
		return 0;
	}
	if (!t->name && !optional)
		return fail(why, OVID_X_USAGE, "ovid %s: which VM? see `ovid list`", argv[0]);
	if (t->name && !ctl_name_ok(t->name))
		return fail(why, OVID_X_USAGE, "no VM is called %s (see `ovid list`)", t->name);
	return 0;
}

static long long number_of(struct json_object *obj, const char *key)
{
	struct json_object *field;

	return json_object_object_get_ex(obj, key, &field) ? json_object_get_int64(field) : 0;
}

/* The VM's process as a file; it answers afterwards, so it is no other's number. */
static int process_of(int fd, struct failure *why)
{
	struct json_object *info = ctl_ask(fd, "info", NULL, NULL, why);
	int process = -1;

	if (info)
		process = syscall(SYS_pidfd_open, (pid_t)number_of(info, "pid"), 0);
	json_object_put(info);
	return process;
}

/* Until its process is gone: its name, memory and partition can be had again then. */
static struct json_object *kill_and_wait(int fd, struct failure *why)
{
	struct pollfd pfd = { .fd = process_of(fd, why), .events = POLLIN };
	struct json_object *answer = ctl_ask(fd, "kill", NULL, NULL, why);

	if (answer && pfd.fd >= 0)
		while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
			;
	return answer;
}

int cli_simple(int argc, char **argv)
{
	struct json_object *answer = NULL;
	struct failure why = { "" };
	struct cli_target t;
	int fd, ret = cli_target(argc, argv, false, &t, &why);

	if (ret || t.help)
		return cli_fail(ret, &why);
	fd = ctl_connect(t.name, &why);
	if (fd < 0)
		return cli_fail(fd, &why);
	answer = strcmp(argv[0], "kill") ? ctl_ask(fd, argv[0], NULL, NULL, &why) :
					   kill_and_wait(fd, &why);
	close(fd);
	if (!answer)
		return cli_fail(-OVID_X_HOST, &why);
	if (t.json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	json_object_put(answer);
	return 0;
}

/* From the VM itself, or when it is gone from what it left. */
static int wait_for(const char *name, struct json_object **answer, struct failure *why)
{
	int fd = ctl_connect(name, why);

	*answer = NULL;
	if (fd < 0 && fd != -OVID_X_USAGE)
		return fd;
	if (fd >= 0) {
		ctl_set_patience(fd, 0);
		*answer = ctl_ask(fd, "wait", NULL, NULL, why);
		close(fd);
	}
	return *answer ? 0 : ctl_end_read(name, answer, why);
}

int cli_wait(int argc, char **argv)
{
	struct json_object *answer, *field;
	struct failure why = { "" };
	struct cli_target t;
	int status = OVID_X_HOST, ret = cli_target(argc, argv, false, &t, &why);

	if (ret || t.help)
		return cli_fail(ret, &why);
	ret = wait_for(t.name, &answer, &why);
	if (ret)
		return cli_fail(ret, &why);
	if (json_object_object_get_ex(answer, "status", &field))
		status = json_object_get_int(field) & 0xff;
	if (t.json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	else if (json_object_object_get_ex(answer, "text", &field) &&
		 json_object_get_string_len(field))
		fprintf(stderr, "ovid: %s\n", json_object_get_string(field));
	json_object_put(answer);
	return status;
}

static void relay(int fd)
{
	struct tty_escape esc = { 0 };
	bool input = true;
	u8 buf[4096];

	for (;;) {
		struct pollfd pfd[2] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
		};
		ssize_t len;

		if (poll(pfd, 2, -1) < 0 && errno != EINTR)
			return;
		if (pfd[0].revents) {
			len = read(fd, buf, sizeof(buf));
			if (len <= 0 || write_all(STDOUT_FILENO, buf, len))
				return;
		}
		if (!pfd[1].revents)
			continue;
		len = read(STDIN_FILENO, buf, sizeof(buf));
		if (len <= 0) {
			input = false;	/* a script's input ended; output goes on */
			continue;
		}
		len = isatty(STDIN_FILENO) ? (ssize_t)tty_filter(&esc, buf, len) : len;
		if (write_all(fd, buf, len) || esc.left)
			return;
	}
}

int cli_console(int argc, char **argv)
{
	struct json_object *answer;
	struct failure why = { "" };
	struct cli_target t;
	int fd, ret = cli_target(argc, argv, false, &t, &why);

	if (ret || t.help)
		return cli_fail(ret, &why);
	fd = ctl_connect(t.name, &why);
	if (fd < 0)
		return cli_fail(fd, &why);
	answer = ctl_ask(fd, "console", NULL, NULL, &why);
	if (!answer)
		return cli_fail(-OVID_X_HOST, &why);
	json_object_put(answer);
	ctl_set_patience(fd, 0);
	tty_raw(STDIN_FILENO);
	relay(fd);
	tty_restore();
	return 0;
}

/* What a VM says of itself; NULL when it is gone. */
static struct json_object *ask_info(const char *name)
{
	struct json_object *answer = NULL;
	struct failure why;
	int fd = ctl_connect(name, &why);
	bool stuck = fd < 0 && fd != -OVID_X_USAGE;

	if (fd >= 0) {
		answer = ctl_ask(fd, "info", NULL, NULL, &why);
		stuck = !answer && errno == EAGAIN;
		close(fd);
	}
	if (answer)
		json_object_object_del(answer, "ok");
	if (!stuck)
		return answer;
	answer = json_object_new_object();
	json_object_object_add(answer, "name", json_object_new_string(name));
	json_object_object_add(answer, "state", json_object_new_string("stuck"));
	return answer;
}

static const char *text_of(struct json_object *obj, const char *key)
{
	struct json_object *field;

	return json_object_object_get_ex(obj, key, &field) ? json_object_get_string(field) : "";
}

static void print_list(struct json_object *all)
{
	printf("%-20s %-8s %8s %4s %10s %10s  %s\n", "NAME", "STATE", "PID", "VPS",
	       "MEMORY", "UPTIME", "KERNEL");
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *vm = json_object_array_get_idx(all, i);

		printf("%-20s %-8s %8lld %4lld %9lldM %9llds  %s\n", text_of(vm, "name"),
		       text_of(vm, "state"), number_of(vm, "pid"), number_of(vm, "vps"),
		       number_of(vm, "memory") >> 20, number_of(vm, "uptime"),
		       text_of(vm, "kernel"));
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(text_of(*(struct json_object *const *)a, "name"),
		      text_of(*(struct json_object *const *)b, "name"));
}

static struct json_object *all_vms(const char *folder)
{
	struct json_object *all = json_object_new_array(), *vm;
	DIR *dir = opendir(folder);
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		char *dot = strrchr(de->d_name, '.');

		if (!dot || strcmp(dot, ".sock"))
			continue;
		*dot = 0;
		vm = ctl_name_ok(de->d_name) ? ask_info(de->d_name) : NULL;
		if (vm)
			json_object_array_add(all, vm);
	}
	if (dir)
		closedir(dir);
	json_object_array_sort(all, by_name);
	return all;
}

int cli_list(int argc, char **argv)
{
	struct json_object *all;
	struct failure why = { "" };
	struct cli_target t;
	char folder[80];
	int ret = cli_target(argc, argv, true, &t, &why);

	if (!ret && t.name)
		ret = fail(&why, OVID_X_USAGE, "ovid list takes no name; see `ovid info %s`", t.name);
	if (!ret && !t.help)
		ret = ctl_folder(folder, sizeof(folder), &why);
	if (ret || t.help)
		return cli_fail(ret, &why);
	all = all_vms(folder);
	if (t.json)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN));
	else
		print_list(all);
	json_object_put(all);
	return 0;
}
