// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/file.h>
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
	      o.config.vmbus.version == OVID_VMBUS_VERSION(4, 1), "a version of the bus");
	CHECK(!parse(&o, "run --kernel k --vmbus off") &&
	      o.config.vmbus.version == VMBUS_OFF, "no bus");
	CHECK(!parse(&o, "run --kernel k --vmbus on") && !o.config.vmbus.version &&
	      !o.config.vmbus.latency, "any version");
	CHECK(parse(&o, "run --kernel k --vmbus 4") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus 4.1x") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus 0.0") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus 000000000000005.3") == -OVID_X_USAGE, "no version");
	CHECK(!parse(&o, "run --kernel k --vmbus 4.1,latency=100") && o.config.vmbus.latency == 1000 &&
	      o.config.vmbus.version == OVID_VMBUS_VERSION(4, 1), "and monitors");
	CHECK(!parse(&o, "run --kernel k --vmbus on,latency=50") && o.config.vmbus.latency == 500 &&
	      !parse(&o, "run --kernel k --vmbus on,latency=6553") &&
	      o.config.vmbus.latency == 65530, "their least and most");
	CHECK(parse(&o, "run --kernel k --vmbus on,latency=49") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus on,latency=6554") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus on,latency=100us") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus on,latency=-100") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus on,") == -OVID_X_USAGE &&
	      parse(&o, "run --kernel k --vmbus off,latency=100") == -OVID_X_USAGE, "no latency");
	CHECK(parse(&o, "run --kernel") == -OVID_X_USAGE, "an option without its value");
}

static int refused(const char *words)
{
	struct run_options o;
	char line[256];

	snprintf(line, sizeof(line), "run --kernel k %s", words);
	return parse(&o, line) == -OVID_X_USAGE;
}

/* so many disks, all at one controller */
static int try_many(unsigned int nr)
{
	static struct run_options o;
	static char text[LUNS_MAX + 1][2];
	static char *argv[2 * (LUNS_MAX + 1) + 4] = { "run", "--kernel", "k" };
	struct failure why;
	int argc = 3;

	for (unsigned int i = 0; i < nr; i++) {
		strcpy(text[i], "a");
		argv[argc++] = (char *)"--disk";
		argv[argc++] = text[i];
	}
	argv[argc] = NULL;
	return run_parse(argc, argv, &o, &why);
}

static void test_disks(void)
{
	struct run_options o;

	CHECK(!parse(&o, "run --kernel k --disk a.img --disk b,c,ro,lun=0 --disk d,serial=x,format=raw"),
	      "disks");
	CHECK(o.config.disks.nr == 3 && !strcmp(o.disk[0].path, "a.img") &&
	      !strcmp(o.disk[1].path, "b,c") && !strcmp(o.disk[2].path, "d"), "their files");
	CHECK(o.config.disks.config[0].lun == 1 && o.config.disks.config[1].lun == 0 &&
	      o.config.disks.config[2].lun == 2, "the numbers that are free");
	CHECK(!o.config.disks.config[0].read_only && o.config.disks.config[1].read_only &&
	      o.disk[2].format == OVID_DISK_RAW && !strcmp(o.config.disks.config[2].serial, "x"), "what else is said");
	CHECK(refused("--disk a,lun=64") && refused("--disk a,lun=") && refused("--disk a,lun=-1") &&
	      refused("--disk a,lun=1x"), "no LUN");
	CHECK(refused("--disk a,lun=3 --disk b,lun=3"), "two at one LUN");
	CHECK(!parse(&o, "run --kernel k --disk a,lun=3 --disk b,controller=3,lun=3 --disk c,controller=3") &&
	      o.config.disks.config[1].controller == 3 && o.config.disks.config[1].lun == 3 &&
	      o.config.disks.config[2].controller == 3 && o.config.disks.config[2].lun == 0,
	      "another controller has LUNs of its own");
	CHECK(refused("--disk a,controller=4") && refused("--disk a,controller=") &&
	      refused("--disk a,controller=-1"), "no controller");
	CHECK(!try_many(LUNS_MAX), "a full controller");
	CHECK(try_many(LUNS_MAX + 1) == -OVID_X_USAGE, "no more");
	CHECK(o.disk[0].format < 0 && refused("--disk a,format=qcow2"), "formats");
	CHECK(refused("--disk ,ro") && refused("--disk a,serial="), "no file, no serial number");
	CHECK(refused("--disk a,serial=123456789012345678901234567890123"), "a long one");
	CHECK(refused("--disk a --vmbus off"), "a disk without a bus");
	CHECK(!parse(&o, "run --kernel k --disk a --disk b,sector=512e --disk c,sector=4096,ro") &&
	      !o.config.disks.config[0].logical_sector &&
	      o.config.disks.config[1].logical_sector == 512 &&
	      o.config.disks.config[1].physical_sector == 4096 &&
	      o.config.disks.config[2].logical_sector == 4096 &&
	      o.config.disks.config[2].physical_sector == 4096, "sectors");
	CHECK(refused("--disk a,sector=") && refused("--disk a,sector=1024"), "no sector");
}

static void test_dvds(void)
{
	struct run_options o;
	struct failure why;

	CHECK(!parse(&o, "run --kernel k --disk a --dvd x.iso --dvd none,lun=7,controller=1"),
	      "DVD drives");
	CHECK(o.config.disks.nr == 3 && !o.config.disks.config[0].dvd &&
	      o.config.disks.config[1].dvd && o.config.disks.config[1].read_only &&
	      !o.config.disks.config[1].empty && o.config.disks.config[1].lun == 1,
	      "one with a disc, behind the disk");
	CHECK(o.config.disks.config[2].empty && o.config.disks.config[2].lun == 7, "an empty one");
	CHECK(disks_open(&o, &why) == -OVID_X_USAGE && !strncmp(why.text, "--disk a: ", 10),
	      "the disk is not there");
	CHECK(!parse(&o, "run --kernel k --dvd none,controller=1") && !disks_open(&o, &why) &&
	      !strcmp(o.config.disks.config[0].serial, "dvd-1-0") &&
	      !strcmp(o.config.disks.config[0].file, "none"), "what is not there is opened, too");
	close(o.config.disks.fd[0]);
	CHECK(!parse(&o, "run --kernel k --dvd /nothing") && disks_open(&o, &why) == -OVID_X_USAGE &&
	      !strncmp(why.text, "--dvd /nothing: ", 16), "no file");
	CHECK(refused("--dvd ,lun=1") && refused("--dvd x,lun=64") && refused("--dvd x --vmbus off"),
	      "no drive");
	CHECK(parse(&o, "run --boot-from-disk --dvd x --disk a") == -OVID_X_USAGE &&
	      !parse(&o, "run --boot-from-disk --disk a --dvd x"), "which is no disk to boot from");
	/* what a drive has no use for is part of the path */
	CHECK(!parse(&o, "run --kernel k --dvd x,ro") && !strcmp(o.disk[0].path, "x,ro"), "words");
}

static int refused_net(const char *spec)
{
	char words[200];

	snprintf(words, sizeof(words), "--net %s", spec);
	return refused(words);
}

static void test_net_ends(void)
{
	static const char *const bad[] = {
		",", "users", "user,", "user,,", "user=1", "bridge", "bridge=", "bridge=0123456789abcdef",
		"bridge=a/b", "bridge=a:b", "bridge=..", "bridge=a%d", "tap", "tap=", "tap=.",
		"if=", "if=%d", "fd", "fd=", "fd=-1", "fd=99", "fd=1x", "none=1", "none,x=1", "User",
		"user,vlan=5", "tap=t,vlan=5", "bridge=b,vlan=0", "bridge=b,vlan=4095", "bridge=b,vlan=",
		"bridge=b,hostfwd=tcp::1-:1", "none,net=10.0.0.0/24", "tap=t,restrict=on", "if,hostname=x",
	};
	struct run_options o;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(refused_net(bad[i]), "--net %s is refused", bad[i]);
	CHECK(!parse(&o, "run --kernel k --net user --net bridge=br0,vlan=7 --net tap=t0 --net if --net if=w0 --net fd=0 --net none"),
	      "all ends");
	CHECK(nets_count(&o.config.nets) == 7 && o.config.nets.config[0].kind == NET_USER &&
	      o.config.nets.config[1].kind == NET_BRIDGE && !strcmp(o.config.nets.config[1].bridge, "br0") &&
	      o.config.nets.config[1].vlan == 7 && o.config.nets.config[2].kind == NET_TAP &&
	      !strcmp(o.config.nets.config[2].ifname, "t0") && o.config.nets.config[3].kind == NET_IF &&
	      !*o.config.nets.config[3].ifname && !strcmp(o.config.nets.config[4].ifname, "w0") &&
	      o.config.nets.config[5].kind == NET_FD && !o.net[5].file &&
	      o.config.nets.config[6].kind == NET_NONE, "are taken");
	CHECK(!refused("--net none --net none --net none --net none --net none --net none --net none --net none") &&
	      refused("--net none --net none --net none --net none --net none --net none --net none --net none --net none"),
	      "eight of them");
	CHECK(refused("--net user --vmbus off"), "a card without a bus");
}

static void test_net_cards(void)
{
	static const char *const bad[] = {
		"mac=", "mac=1", "mac=01:00:00:00:00:01", "mac=ff:ff:ff:ff:ff:ff", "mac=00:00:00:00:00:00",
		"mac=02:00:00:00:00", "mac=02:00:00:00:00:01:02", "mac=02:00:00:00:00:0g",
		"mac=02-00-00-00-00-01", "mac=2:0:0:0:0:1", "queues=", "queues=0", "queues=65", "queues=-1",
		"queues=1x", "mtu=575", "mtu=65522", "mtu=", "mtu=1500b", "guard=", "guard=1", "guard=yes",
		"link=", "link=down", "rate=1", "x", "=", "mac",
	};
	struct run_options o;
	char spec[64];
	u8 mac[6];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(spec, sizeof(spec), "none,%s", bad[i]);
		CHECK(refused_net(spec), "%s is refused", bad[i]);
	}
	CHECK(!parse(&o, "run --kernel k --net none,mac=00:15:5d:Ab:cd:0F,queues=64,mtu=65521,guard=on,link=off") &&
	      !memcmp(o.config.nets.config[0].mac, "\x00\x15\x5d\xab\xcd\x0f", 6) &&
	      o.config.nets.config[0].queues == 64 && o.config.nets.config[0].mtu == 65521 &&
	      o.config.nets.config[0].guard && o.config.nets.config[0].link_down, "words of a card");
	CHECK(!parse(&o, "run --kernel k --name v --net none,guard=off,link=on --net none,mtu=576,queues=1") &&
	      !o.config.nets.config[0].guard && !o.config.nets.config[0].link_down &&
	      o.config.nets.config[0].queues == NET_QUEUES && o.config.nets.config[0].mtu == NET_MTU &&
	      o.config.nets.config[1].mtu == 576 && o.config.nets.config[1].queues == 1, "their others");
	net_mac("v", 0, mac);
	CHECK((mac[0] & 3) == 2 && !memcmp(mac, o.config.nets.config[0].mac, 6) &&
	      memcmp(mac, o.config.nets.config[1].mac, 6), "addresses of their own");
	net_mac("w", 0, mac);
	CHECK(memcmp(mac, o.config.nets.config[0].mac, 6), "and of their VM");
	CHECK(refused("--net none,mac=02:00:00:00:00:01 --net none,mac=02:00:00:00:00:01"), "one twice");
}

static void test_net_user(void)
{
	static const char *const bad[] = {
		"hostfwd=", "hostfwd=tcp", "hostfwd=tcp:", "hostfwd=tcp:22", "hostfwd=tcp::22",
		"hostfwd=tcp::22-", "hostfwd=tcp::22-22", "hostfwd=tcp::22-:", "hostfwd=tcp::0-:22",
		"hostfwd=tcp::22-:0", "hostfwd=tcp::65536-:22", "hostfwd=tcp::22-:65536", "hostfwd=tcp::-1-:22",
		"hostfwd=sctp::22-:22", "hostfwd=tcp:host:22-:22", "hostfwd=tcp:1.2.3:22-:22",
		"hostfwd=tcp:::22-:22", "hostfwd=tcp::22-:22-", "hostfwd=tcp::22x-:22", "hostfwd=:22-:22",
		"net=", "net=10.0.0.0", "net=10.0.0.0/", "net=10.0.0.0/7", "net=10.0.0.0/28", "net=10.0.0/24",
		"net=0.1.2.0/24", "net=127.0.0.0/24", "net=224.0.0.0/24", "net=10.0.0.0/24x", "net=x/24",
		"net=10.0.0.0/24/24", "net=1000000000000000000.0.0.0/24", "restrict=", "restrict=yes",
		"restrict", "hostname=", "hostname=-a", "hostname=a_b", "hostname=a/b",
		"hostname=0123456789012345678901234567890123456789012345678901234567890123",
	};
	struct run_options o;
	struct failure why;
	char spec[128], ports[] = "udp:192.0.2.1:53-10.0.2.15:5353", gone[] = "tcp::22";
	struct slirp_forward f;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(spec, sizeof(spec), "user,%s", bad[i]);
		CHECK(refused_net(spec), "%s is refused", bad[i]);
	}
	CHECK(!parse(&o, "run --kernel k --net user") && o.net[0].user.net == htonl(0x0a000200) &&
	      o.net[0].user.mask == htonl(0xffffff00) && !o.net[0].user.restricted &&
	      !o.net[0].user.nr_forwards && !*o.net[0].user.host_name && o.net[0].user.mtu == 1500,
	      "the usual network");
	CHECK(!parse(&o, "run --kernel k --net user,net=192.168.7.9/16,restrict=on,hostname=a.b-c,mtu=9000,hostfwd=tcp::2222-:22,hostfwd=udp:0.0.0.0:1-1.2.3.4:65535"),
	      "another one");
	CHECK(o.net[0].user.net == htonl(0xc0a80000) && o.net[0].user.mask == htonl(0xffff0000) &&
	      o.net[0].user.restricted && !strcmp(o.net[0].user.host_name, "a.b-c") &&
	      o.net[0].user.mtu == 9000 && o.net[0].user.nr_forwards == 2, "is taken");
	CHECK(!o.net[0].user.forward[0].udp && o.net[0].user.forward[0].host == htonl(0x7f000001) &&
	      o.net[0].user.forward[0].host_port == 2222 && !o.net[0].user.forward[0].guest &&
	      o.net[0].user.forward[0].guest_port == 22 && o.net[0].user.forward[1].udp &&
	      !o.net[0].user.forward[1].host && o.net[0].user.forward[1].guest == htonl(0x01020304) &&
	      o.net[0].user.forward[1].guest_port == 65535, "with its ports");
	CHECK(!net_parse_forward("x", &f, ports, false, &why) && f.udp && f.host == htonl(0xc0000201) &&
	      f.guest_port == 5353 && !net_parse_forward("x", &f, gone, true, &why) && !f.udp &&
	      f.host_port == 22, "a port by itself");
}

/* what is behind an end that cannot be had: by its name, no more */
static void test_net_open(void)
{
	struct run_options o;
	struct failure why;

	CHECK(!parse(&o, "run --kernel k --net bridge=no-such-br0") && nets_open(&o, &why) == -OVID_X_USAGE &&
	      strstr(why.text, "ip link add no-such-br0 type bridge"), "no bridge, and how to make it");
	CHECK(!parse(&o, "run --kernel k --net bridge=lo") && nets_open(&o, &why) == -OVID_X_USAGE &&
	      strstr(why.text, "is no bridge"), "an interface that is none");
	CHECK(!parse(&o, "run --kernel k --net tap=lo") && nets_open(&o, &why) < 0 &&
	      !strncmp(why.text, "--net tap=lo: ", 14), "or no tap");
	CHECK(!parse(&o, "run --kernel k --net none --net if=x") && !nets_open(&o, &why) &&
	      o.config.nets.fd[0] < 0 && o.config.nets.fd[1] < 0, "ends without a file");
}

/* a file of @bytes that has @magic at @at, or an empty @magic */
static int try_disk(const char *path, long bytes, const char *magic, long at, const char *words)
{
	static struct run_options o;
	struct failure why;
	char line[256];
	FILE *file = fopen(path, "w");
	int ret;

	if (!file || ftruncate(fileno(file), bytes) || fseek(file, at, SEEK_SET) ||
	    fputs(magic, file) < 0 || fclose(file))
		return -1;
	snprintf(line, sizeof(line), "run --kernel k --disk %s%s", path, words);
	if (parse(&o, line))
		return -2;
	ret = disks_open(&o, &why);
	if (!ret)
		close(o.config.disks.fd[0]);
	return ret;
}

static void test_disk_files(void)
{
	char path[] = "/tmp/ovid-disk-XXXXXX", image[sizeof(path) + 4];
	int fd = mkstemp(path);

	CHECK(fd >= 0 && !try_disk(path, 4096, "", 0, ""), "a raw file");
	snprintf(image, sizeof(image), "%s.img", path);
	CHECK(try_disk(path, 4096, "vhdxfile", 0, "") == -OVID_X_USAGE &&
	      try_disk(path, 4096, "QFI\xfb", 0, "") == -OVID_X_USAGE &&
	      try_disk(path, 4096, "conectix", 4096 - 512, "") == -OVID_X_USAGE, "other formats");
	CHECK(!try_disk(path, 4096, "vhdxfile", 0, ",format=raw"), "one that only looks like it");
	CHECK(!rename(path, image) && try_disk(image, 4096, "vhdxfile", 0, "") == -OVID_X_USAGE &&
	      !rename(image, path), "one that only looks like it, by its name");
	flock(fd, LOCK_SH);
	CHECK(try_disk(path, 4096, "", 0, "") == -OVID_X_USAGE, "one that somebody reads");
	CHECK(!try_disk(path, 4096, "", 0, ",ro"), "to read it as well");
	close(fd);
	unlink(path);
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
	test_disks();
	test_dvds();
	test_disk_files();
	test_net_ends();
	test_net_cards();
	test_net_user();
	test_net_open();
	test_names();
	test_escape();
	test_socket();
	return tap_done();
}
