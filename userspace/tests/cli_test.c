// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <unistd.h>

#include "../cli/run.h"
#include "../lib/ctl.h"
#include "tap.h"

static int parse(struct run_options *o, const char *line)
{
	static char copy[512];
	char *argv[32];
	int argc = 0;
	struct failure why;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w && argc < 31; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return run_parse(argc, argv, o, &why);
}

static void test_sizes(void)
{
	static const char *const bad[] = {
		"", "0", "0M", "1", "4097", "4096", "-1", "-4096", "2M2", "2T", "x", "1K", " ",
		"99999999999999999999", "99999999999G", "0x", "18446744073709551615",
	};
	struct failure why;
	u64 bytes;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(parse_size(bad[i], &bytes, &why) == -OVID_X_USAGE, "size \"%s\" is refused",
		      bad[i]);
	CHECK(!parse_size("2M", &bytes, &why) && bytes == 2 << 20, "2M");
	CHECK(!parse_size("5g", &bytes, &why) && bytes == 5ull << 30, "5g");
	CHECK(!parse_size("2101248", &bytes, &why) && bytes == 2101248, "bytes");
}

static void test_options(void)
{
	struct run_options o;

	CHECK(!parse(&o, "run --kernel k --initrd a --initrd b --vps 4 --no-reboot"), "options");
	CHECK(o.config.nr_modules == 2 && o.config.vps == 4 &&
	      o.config.flags == WORKER_NO_REBOOT && !strcmp(o.serial, "stdio"), "are taken");
	CHECK(parse(&o, "run") == -OVID_X_USAGE, "a kernel is needed");
	CHECK(parse(&o, "run --kernel k --detach") == -OVID_X_USAGE, "detach needs a name");
	CHECK(parse(&o, "run --kernel k --detach --name x --serial stdio") == -OVID_X_USAGE,
	      "detach has no stdio");
	CHECK(!parse(&o, "run --kernel k --detach --name x") && !strcmp(o.serial, "none"),
	      "detached serial line goes nowhere");
	CHECK(parse(&o, "run --kernel k --vps 0") == -OVID_X_USAGE, "no VPs");
	CHECK(parse(&o, "run --kernel k --vps 2x") == -OVID_X_USAGE, "half a number");
	CHECK(parse(&o, "run --kernel k --name ../x") == -OVID_X_USAGE, "a path is no name");
	CHECK(parse(&o, "run --kernel k extra") == -OVID_X_USAGE, "an extra word");
	CHECK(parse(&o, "run --nonsense") == -OVID_X_USAGE, "an unknown option");
	CHECK(!parse(&o, "run --kernel k --vmbus 4.1") &&
	      o.config.vmbus == OVID_VMBUS_VERSION(4, 1), "a version of the bus");
	CHECK(!parse(&o, "run --kernel k --vmbus off") && o.config.vmbus == VMBUS_OFF, "no bus");
	CHECK(!parse(&o, "run --kernel k --vmbus on") && !o.config.vmbus, "any version");
	CHECK(parse(&o, "run --kernel k --vmbus 4") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus 4.1x") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus 0.0") == -OVID_X_USAGE, "no version");
	CHECK(parse(&o, "run --kernel") == -OVID_X_USAGE, "an option without its value");
}

static void test_names(void)
{
	CHECK(ctl_name_ok("web-1.a_B"), "a name");
	CHECK(!ctl_name_ok("") && !ctl_name_ok(".x") && !ctl_name_ok("-x") &&
	      !ctl_name_ok("a/b") && !ctl_name_ok("a b") &&
	      !ctl_name_ok("12345678901234567890123456789012"), "no names");
}

static void test_escape(void)
{
	struct tty_escape e = { 0 };
	u8 buf[] = "a\x01" "ab\x01" "cd\x03";

	CHECK(tty_filter(&e, buf, 8) == 6 && !memcmp(buf, "a\x01" "b\x03" "d\x03", 6) && !e.left,
	      "Ctrl-A a, Ctrl-A c, Ctrl-C");
	e = (struct tty_escape){ .ctrl_c_leaves = true };
	memcpy(buf, "x\x03y", 3);
	CHECK(tty_filter(&e, buf, 3) == 1 && e.left, "Ctrl-C leaves where it should");
	e = (struct tty_escape){ 0 };
	memcpy(buf, "\x01", 1);
	CHECK(tty_filter(&e, buf, 1) == 0 && e.armed, "escape over two reads");
	memcpy(buf, "x", 1);
	CHECK(tty_filter(&e, buf, 1) == 0 && e.left, "Ctrl-A x leaves");
}

static void test_socket(void)
{
	char dir[] = "/tmp/ovid-test-XXXXXX";
	struct json_object *msg;
	struct failure why;
	int fd, client;

	if (!mkdtemp(dir))
		return;
	setenv("OVID_RUNTIME_DIR", dir, 1);
	fd = ctl_listen("vm", &why);
	CHECK(fd >= 0, "a control socket");
	CHECK(ctl_listen("vm", &why) == -OVID_X_USAGE, "its name is taken");
	client = ctl_connect("vm", &why);
	CHECK(client >= 0, "connected");
	msg = json_object_new_object();
	CHECK(ctl_send(client, msg, (int[]){ 0 }, 1) == 0, "a message with a file");
	json_object_put(msg);
	close(client);
	close(fd);
	CHECK(ctl_connect("vm", &why) == -OVID_X_USAGE, "a dead VM's socket is none");
	fd = ctl_listen("vm", &why);
	CHECK(fd >= 0, "and its name is free again");
	close(fd);
	ctl_unlink("vm");
	CHECK(rmdir(dir) == 0, "nothing is left");
}

int main(void)
{
	test_sizes();
	test_options();
	test_names();
	test_escape();
	test_socket();
	return tap_done();
}
