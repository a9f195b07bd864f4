// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network cards: OVID_NET_*, the frames of their files, and interfaces as their ends.  The guest is
 * not there: what it would do is in ../guest/g_net*.c.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>

#include "../../uapi/ovid_net.h"
#include "lib/bus.h"
#include "lib/host.h"

static int h;		/* the card that all are about */

static struct ovid_net good_card(void)
{
	return (struct ovid_net){
		.size = sizeof(struct ovid_net), .mac = { 2, 0, 0, 0, 0, 1 }, .queues = 4,
		.mtu = 1500, .name = "card",
	};
}

static struct ovid_net_end end_of(uint32_t kind, const char *name)
{
	struct ovid_net_end arg = { .size = sizeof(arg), .kind = kind, .fd = -1 };

	memcpy(arg.ifname, name, strnlen(name, sizeof(arg.ifname)));
	return arg;
}

static int set_end(uint32_t kind, const char *name)
{
	struct ovid_net_end arg = end_of(kind, name);

	return ov_ioctl(h, OVID_NET_END, &arg);
}

static struct ovid_net_info info(void)
{
	struct ovid_net_info arg = { .size = sizeof(arg) };

	tap_is(ov_ioctl(h, OVID_NET_INFO, &arg), 0, "it says how it is");
	return arg;
}

static int set_link(uint32_t flags)
{
	struct ovid_net_link arg = { .size = sizeof(arg), .flags = flags };

	return ov_ioctl(h, OVID_NET_LINK, &arg);
}

/* a field that has another value than a good one's */
#define field_fails(request, good, field, value, error) ({			\
	__typeof__((good).field) v_ = (value);					\
	ov_field_fails(h, #request "." #field, request, &(good), sizeof(good),	\
		       offsetof(__typeof__(good), field), (uint64_t)v_, sizeof(v_), error); })

/* ---- set up ---- */

static void before(void)
{
	struct ovid_net_info arg = { .size = sizeof(arg) };
	struct pollfd p = { .fd = h, .events = POLLIN | POLLOUT };
	char room[100];

	tap_fails(set_end(OVID_NET_NONE, ""), ENOTCONN, "no end before it is set up");
	tap_fails(set_end(OVID_NET_INTERFACE, "never0"), ENOTCONN, "no interface");
	tap_is(if_nametoindex("never0"), 0, "... is there then");
	tap_fails(set_link(0), ENOTCONN, "no link");
	tap_fails(ov_ioctl(h, OVID_NET_INFO, &arg), ENOTCONN, "nothing to be said");
	tap_fails(read(h, room, sizeof(room)), ENOTCONN, "nothing to be read");
	tap_fails(write(h, room, sizeof(room)), ENOTCONN, "nor written");
	tap_is(poll(&p, 1, 0), 1, "poll() says so");
	tap_ok(p.revents & POLLERR, "... by POLLERR");
}

static void bad_cards(void)
{
	struct ovid_net good = good_card(), bad = good;

	ov_size_refused(h, "OVID_NET_SETUP", OVID_NET_SETUP, &good, sizeof(good));
	field_fails(OVID_NET_SETUP, good, flags, 4, EINVAL);
	field_fails(OVID_NET_SETUP, good, queues, 0, EINVAL);
	field_fails(OVID_NET_SETUP, good, queues, OVID_NET_MAX_QUEUES + 1, EINVAL);
	field_fails(OVID_NET_SETUP, good, mtu, OVID_NET_MIN_MTU - 1, EINVAL);
	field_fails(OVID_NET_SETUP, good, mtu, OVID_NET_MAX_MTU + 1, EINVAL);
	field_fails(OVID_NET_SETUP, good, mtu, ~0u, EINVAL);
	field_fails(OVID_NET_SETUP, good, mac[0], 3, EINVAL);
	memset(bad.mac, 0, sizeof(bad.mac));
	tap_fails(ov_ioctl(h, OVID_NET_SETUP, &bad), EINVAL, "an address of zeroes");
	memset(bad.mac, 0xff, sizeof(bad.mac));
	tap_fails(ov_ioctl(h, OVID_NET_SETUP, &bad), EINVAL, "that of all stations");
	field_fails(OVID_NET_SETUP, good, name[2], '\n', EINVAL);
	field_fails(OVID_NET_SETUP, good, name[2], 0x7f, EINVAL);
	field_fails(OVID_NET_SETUP, good, name[2], 0xe4, EINVAL);
	bad = good;
	memset(bad.name, 'x', sizeof(bad.name));
	tap_fails(ov_ioctl(h, OVID_NET_SETUP, &bad), EINVAL, "a name without an end");
}

static void set_up(void)
{
	struct ovid_net good = good_card();
	struct ovid_net_info i;
	int echo = offer(vm.part, "echo", 1);

	tap_fails(ov_ioctl(echo, OVID_NET_SETUP, &good), ENOTTY, "a channel of another kind");
	tap_fails(ov_ioctl(vm.part, OVID_NET_SETUP, &good), ENOTTY, "a partition");
	close(echo);
	tap_is(ov_ioctl(h, OVID_NET_SETUP, &good), 0, "a card");
	tap_fails(ov_ioctl(h, OVID_NET_SETUP, &good), EBUSY, "it is one already");
	good.mtu = 1;
	tap_fails(ov_ioctl(h, OVID_NET_SETUP, &good), EINVAL, "nor another one that is none");
	i = info();
	tap_ok(!memcmp(i.mac, good.mac, 6) && i.mtu == 1500 && i.speed == 10000 && !i.queues &&
	       !i.kind && !i.ifindex && !i.flags && !i.version && !i.tx_frames && !i.rx_frames,
	       "as it was set up");
}

static void links(void)
{
	struct ovid_net_link good = { .size = sizeof(good) };
	struct ovid_net_info i = { .size = sizeof(i) };

	ov_size_rules(h, "OVID_NET_LINK", OVID_NET_LINK, &good, sizeof(good), NULL);
	ov_size_rules(h, "OVID_NET_INFO", OVID_NET_INFO, &i, sizeof(i), NULL);
	tap_fails(set_link(4), EINVAL, "a flag that is none");
	tap_is(set_link(OVID_NET_LINK_DOWN), 0, "no cable");
	tap_is(info().flags, OVID_NET_LINK_DOWN, "... is there");
	tap_is(set_link(OVID_NET_LINK_DOWN | OVID_NET_OTHER), 0, "nor another one");
	tap_is(set_link(OVID_NET_OTHER), 0, "another one");
	tap_is(info().flags, 0, "... is there");
	i.flags = OVID_NET_UP;
	tap_fails(ov_ioctl(h, OVID_NET_INFO, &i), EINVAL, "a flag to ask");
}

/* ---- ends ---- */

static void bad_ends(void)
{
	static const char *const names[] = { "a/b", ".", "..", "%s", "%d%d", "x%", "a b", "a:b" };
	struct ovid_net_end none = end_of(OVID_NET_NONE, ""), frames = none, arg;

	frames.kind = OVID_NET_FRAMES;
	ov_size_rules(h, "OVID_NET_END", OVID_NET_END, &none, sizeof(none), NULL);
	field_fails(OVID_NET_END, none, kind, 4, EINVAL);
	field_fails(OVID_NET_END, none, kind, ~0u, EINVAL);
	field_fails(OVID_NET_END, none, flags, OVID_NET_OFFLOADS, EINVAL);
	field_fails(OVID_NET_END, none, fd, 0, EINVAL);
	field_fails(OVID_NET_END, none, ifname[0], 'x', EINVAL);
	field_fails(OVID_NET_END, none, ifindex, 1, EINVAL);
	field_fails(OVID_NET_END, none, pad, 1, EINVAL);
	field_fails(OVID_NET_END, frames, flags, 2, EINVAL);
	field_fails(OVID_NET_END, frames, fd, 1, EINVAL);
	field_fails(OVID_NET_END, frames, ifname[15], 1, EINVAL);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		tap_fails(set_end(OVID_NET_INTERFACE, names[i]), EINVAL, "the name '%s'", names[i]);
	tap_fails(set_end(OVID_NET_INTERFACE, "sixteen-letters-"), EINVAL, "a name without an end");
	tap_fails(set_end(OVID_NET_INTERFACE, "lo"), EEXIST, "a name that there is");
	arg = end_of(OVID_NET_INTERFACE, "good0");
	field_fails(OVID_NET_END, arg, flags, OVID_NET_OFFLOADS, EINVAL);
	field_fails(OVID_NET_END, arg, fd, 3, EINVAL);
	field_fails(OVID_NET_END, arg, ifindex, 77, EINVAL);
	tap_is(if_nametoindex("good0"), 0, "none of that made one");
	tap_is(info().kind, OVID_NET_NONE, "... or an end");
}

static int control(unsigned long request, struct ifreq *arg)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), ret = ioctl(s, request, arg);

	ret = ret ? -errno : 0;
	close(s);
	return ret;
}

static int bring_up(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_UP };

	strcpy(r.ifr_name, name);
	return control(SIOCSIFFLAGS, &r);
}

static int packets(const char *name)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));

	bind(s, (struct sockaddr *)&to, sizeof(to));
	return s;
}

static void send_one(const char *name)
{
	static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	int s = packets(name);

	tap_is(send(s, frame, sizeof(frame), 0), (int)sizeof(frame), "somebody sends a frame");
	close(s);
}

static void sockets(void)
{
	struct ovid_net_end arg = end_of(OVID_NET_SOCKET, "");
	struct ifreq tap = { .ifr_name = "abitap%d", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int pipes[2], tun;

	if (pipe(pipes))
		tap_bail("no pipe");
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "no file");
	arg.fd = 9999;
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "one that is not open");
	arg.fd = pipes[0];
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "a pipe");
	arg.fd = h;
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "the card itself");
	arg.flags = OVID_NET_OFFLOADS;
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EINVAL, "a flag");
	arg.flags = 0;
	arg.fd = open("/dev/random", O_RDWR | O_NONBLOCK);
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "a device that always has something");
	close(arg.fd);
	arg.fd = open("/dev/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY);
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "a terminal");
	close(arg.fd);
	close(pipes[0]);
	close(pipes[1]);
	tun = system("modprobe tun 2>/dev/null") ? -1 : open("/dev/net/tun", O_RDWR);
	if (tun < 0) {
		tap_skip("a tap's socket", "no /dev/net/tun");
		return;
	}
	arg.fd = tun;
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADF, "one that blocks");
	fcntl(tun, F_SETFL, O_NONBLOCK);
	tap_fails(ov_ioctl(h, OVID_NET_END, &arg), EBADFD, "a tap that has no interface");
	tap_is(ioctl(tun, TUNSETIFF, &tap), 0, "it has one");
	tap_is(ov_ioctl(h, OVID_NET_END, &arg), 0, "... is an end");
	/* whoever reads next would wait, and so would the end */
	fcntl(tun, F_SETFL, 0);
	bring_up(tap.ifr_name);
	send_one(tap.ifr_name);
	ov_sleep_ms(50);
	tap_is(set_end(OVID_NET_NONE, ""), 0, "... and not any more");
	fcntl(tun, F_SETFL, O_NONBLOCK);
	tap_is(ov_ioctl(h, OVID_NET_END, &arg), 0, "... and once more");
	close(tun);
	tap_ok(if_nametoindex(tap.ifr_name), "which stays when who opened it has closed it");
	tap_is(set_end(OVID_NET_NONE, ""), 0, "and goes with the end");
	for (int i = 0; i < 100 && if_nametoindex(tap.ifr_name); i++)
		ov_sleep_ms(20);
	tap_is(if_nametoindex(tap.ifr_name), 0, "... from the host, too");
}

/* ---- frames ---- */

static struct {
	struct ovid_frame head;
	uint8_t at[65560];
} __attribute__((packed, aligned(8))) one;

/* what is written is @len bytes; -1: as much as the head says */
static long put(struct ovid_frame head, long len)
{
	one.head = head;
	if (len < 0)
		len = sizeof(head) + (head.bytes + 7) / 8 * 8;
	return write(h, &one, len);
}

#define FRAME(...)	((struct ovid_frame){ __VA_ARGS__ })
#define SEGMENTED	.flags = OVID_FRAME_CSUM | OVID_FRAME_SEGMENT4, .csum_start = 34, .csum_offset = 16

static void bad_frames(void)
{
	static const struct {
		struct ovid_frame head;
		const char *what;
	} bad[] = {
		{ { .bytes = 0 }, "no bytes" },
		{ { .bytes = 13 }, "less than Ethernet's header" },
		{ { .bytes = 65554 }, "more than there may be" },
		{ { .bytes = 100, .flags = 1 << 5 }, "a flag that is none" },
		{ { .bytes = 100, .flags = 1 << 15 }, "the last of those" },
		{ { .bytes = 100, .flags = OVID_FRAME_SEGMENT4, .mss = 10, .headers = 54 },
		  "cut, but no checksum" },
		{ { .bytes = 100, SEGMENTED, .headers = 54 }, "into pieces of nothing" },
		{ { .bytes = 100, SEGMENTED, .headers = 54, .mss = 1 }, "of one byte" },
		{ { .bytes = 100, SEGMENTED, .headers = 100, .mss = 10 }, "all are headers" },
		{ { .bytes = 1000, SEGMENTED, .headers = 999, .mss = 10 }, "very long ones" },
		{ { .bytes = 100, .flags = OVID_FRAME_CSUM | OVID_FRAME_SEGMENT4 | OVID_FRAME_SEGMENT6,
		    .csum_start = 34, .csum_offset = 16, .headers = 54, .mss = 10 }, "by both rules" },
		{ { .bytes = 100, .flags = OVID_FRAME_CSUM, .csum_start = 100 }, "no sum of anything" },
		{ { .bytes = 100, .flags = OVID_FRAME_CSUM, .csum_start = 34, .csum_offset = 65 },
		  "one that goes behind the end" },
		{ { .bytes = 100, .flags = OVID_FRAME_CSUM, .csum_start = 0xffff, .csum_offset = 0xffff },
		  "both far away" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		tap_fails(put(bad[i].head, -1), EINVAL, "a frame: %s", bad[i].what);
	tap_fails(put(FRAME(.bytes = ~0u), sizeof(one)), EINVAL, "more than any");
	tap_fails(put(FRAME(.bytes = 100), 8), EINVAL, "half of a head");
	tap_fails(put(FRAME(.bytes = 100), 16), EINVAL, "a head alone");
	tap_fails(put(FRAME(.bytes = 100), 16 + 99), EINVAL, "a byte less than it says");
	tap_fails(put(FRAME(.bytes = 100), 16 + 100), EINVAL, "what fills it up is left out");
	tap_is(put(FRAME(.bytes = 14), -1), 32, "the shortest");
	tap_is(put(FRAME(.bytes = 65553), -1), 16 + 65560, "the longest");
	tap_is(put(FRAME(.bytes = 100, .flags = OVID_FRAME_CSUM, .csum_start = 34, .csum_offset = 64),
		   -1), 120, "a sum at the very end");
	tap_is(put(FRAME(.bytes = 9000, SEGMENTED, .headers = 54, .mss = 1448), -1), 9016,
	       "one to be cut");
	tap_is(put(FRAME(.bytes = 100, .flags = OVID_FRAME_VLAN | OVID_FRAME_CSUM_GOOD, .vlan = 0xffff),
		   -1), 120, "one with a tag");
	tap_is(write(h, &one, 0), 0, "nothing");
}

/* good ones before a bad one are taken */
static void some_frames(void)
{
	char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct ovid_frame good = { .bytes = 100 }, bad = { .bytes = 1 };

	if (map == MAP_FAILED)
		tap_bail("mmap");
	mprotect(map + 8192, 4096, PROT_NONE);
	memcpy(map, &good, 16);
	memcpy(map + 120, &good, 16);
	tap_is(write(h, map, 240), 240, "two frames");
	memcpy(map + 240, &bad, 16);
	tap_is(write(h, map, 300), 240, "... and a bad one");
	tap_fails(write(h, map + 240, 60), EINVAL, "... which is refused by itself");
	tap_is(write(h, map, 150), 120, "one that is not whole");
	memcpy(map + 8192 - 16, &good, 16);
	tap_fails(write(h, map + 8192 - 16, 120), EFAULT, "one in no memory");
	memcpy(map + 8192 - 8, &good, 8);
	tap_fails(write(h, map + 8192 - 8, 120), EFAULT, "a head in no memory");
	memcpy(map + 8192 - 136, &good, 16);
	memcpy(map + 8192 - 16, &good, 16);
	tap_is(write(h, map + 8192 - 136, 240), 120, "the first is in some");
	tap_fails(write(h, (void *)0xffff888000000000ull, 120), EFAULT, "the kernel's");
	tap_fails(read(h, map + 8192, 4096), EAGAIN, "there is nothing to be read, anywhere");
	munmap(map, 3 * 4096);
}

static void frames(void)
{
	struct pollfd p = { .fd = h, .events = POLLIN | POLLOUT };
	char room[100];

	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "frames by the file");
	tap_is(info().kind, OVID_NET_FRAMES, "... as it says");
	fcntl(h, F_SETFL, O_NONBLOCK);
	tap_fails(read(h, room, sizeof(room)), EAGAIN, "none are there");
	tap_fails(read(h, room, 0), EAGAIN, "not even for no room");
	tap_is(poll(&p, 1, 0), 1, "poll() says");
	tap_is(p.revents, POLLOUT, "... that one may write");
	bad_frames();
	some_frames();
	tap_is(info().rx_frames, 0, "nobody took one");
	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "frames once more");
	tap_is(put(FRAME(.bytes = 60), -1), 80, "... go as well");
	tap_is(set_end(OVID_NET_NONE, ""), 0, "no end");
	tap_fails(put(FRAME(.bytes = 60), -1), ENOTCONN, "takes none");
}

/* ---- who waits ---- */

static void on_signal(int sig)
{
	(void)sig;
}

struct waiter {
	pthread_t thread;
	bool polls;
	volatile bool begun, done;
	int error;
	short revents;
};

static void *wait_main(void *arg)
{
	struct waiter *w = arg;
	struct pollfd p = { .fd = h, .events = POLLIN };
	char room[100];

	w->begun = true;
	errno = 0;
	if (w->polls ? poll(&p, 1, -1) < 0 : read(h, room, sizeof(room)) < 0)
		w->error = errno;
	w->revents = p.revents;
	w->done = true;
	return NULL;
}

static void start_waiter(struct waiter *w, bool polls)
{
	*w = (struct waiter){ .polls = polls };
	pthread_create(&w->thread, NULL, wait_main, w);
	while (!w->begun)
		ov_sleep_ms(1);
	ov_sleep_ms(20);
	tap_ok(!w->done, "somebody waits");
}

static void waiters(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct waiter reads, polls;

	sigaction(SIGUSR1, &act, NULL);
	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "frames by the file");
	fcntl(h, F_SETFL, 0);
	start_waiter(&reads, false);
	start_waiter(&polls, true);
	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "another end of that kind");
	ov_sleep_ms(20);
	tap_ok(!reads.done && !polls.done, "... and they wait on");
	tap_is(set_end(OVID_NET_NONE, ""), 0, "no end");
	pthread_join(reads.thread, NULL);
	pthread_join(polls.thread, NULL);
	tap_is(reads.error, ENOTCONN, "... is told who reads");
	tap_ok(polls.revents & POLLERR, "... and who polls");
	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "frames by the file");
	start_waiter(&reads, false);
	pthread_kill(reads.thread, SIGUSR1);
	pthread_join(reads.thread, NULL);
	tap_is(reads.error, EINTR, "a signal is heard");
	fcntl(h, F_SETFL, O_NONBLOCK);
}

/* ---- interfaces ---- */

static int rename_to(const char *name, const char *other)
{
	struct ifreq r = { 0 };

	strcpy(r.ifr_name, name);
	strcpy(r.ifr_newname, other);
	return control(SIOCSIFNAME, &r);
}

static int link_request(uint16_t type, uint32_t index, pid_t ns)
{
	struct {
		struct nlmsghdr n;
		struct ifinfomsg i;
		struct rtattr a;
		uint32_t pid;
	} m = {
		.n = { sizeof(m), type, NLM_F_REQUEST | NLM_F_ACK, 1, 0 }, .i.ifi_index = index,
		.a = { 8, IFLA_NET_NS_PID }, .pid = ns,
	};
	struct {
		struct nlmsghdr n;
		struct nlmsgerr e;
		char more[500];
	} answer;
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), ret = -EIO;

	if (!ns)
		m.n.nlmsg_len = offsetof(__typeof__(m), a);
	if (send(s, &m, m.n.nlmsg_len, 0) > 0 && recv(s, &answer, sizeof(answer), 0) > 0)
		ret = answer.e.error;
	close(s);
	return ret;
}

static void interfaces(void)
{
	struct ovid_net_end arg = end_of(OVID_NET_INTERFACE, "");
	struct ovid_net_info i;

	tap_is(ov_ioctl(h, OVID_NET_END, &arg), 0, "an interface of any name");
	tap_is(if_nametoindex((char *)arg.ifname), arg.ifindex, "... '%s' is there", arg.ifname);
	tap_ok(!strncmp((char *)arg.ifname, "ovid", 4), "... and is one of ours");
	i = info();
	tap_ok(i.kind == OVID_NET_INTERFACE && i.ifindex == arg.ifindex &&
	       !strcmp((char *)i.ifname, (char *)arg.ifname), "... as it says");
	tap_fails(read(h, &one, sizeof(one)), ENOTCONN, "nothing is to be read");
	tap_fails(link_request(RTM_DELLINK, arg.ifindex, 0), EOPNOTSUPP, "nobody deletes it");
	tap_is(rename_to((char *)arg.ifname, "renamed0"), 0, "it is renamed");
	tap_ok(!strcmp((char *)info().ifname, "renamed0"), "... which is known");
	tap_fails(set_end(OVID_NET_INTERFACE, "renamed0"), EEXIST, "its own name is taken");
	tap_is(info().kind, OVID_NET_INTERFACE, "... and it stays");
	tap_is(set_end(OVID_NET_INTERFACE, "vm%d"), 0, "another one in its place");
	tap_is(if_nametoindex("renamed0"), 0, "the old one is gone");
	tap_ok(if_nametoindex("vm0"), "the new one is there");
	tap_is(bring_up("vm0"), 0, "... and up");
	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "frames in its place");
	tap_is(if_nametoindex("vm0"), 0, "it is gone");
}

/* a process in namespaces of its own: 0 or what went wrong; @p: told when it may go */
static int elsewhere(int flags, uid_t uid, int error, bool make, int go, int here)
{
	char c = 0;

	if (uid && setresuid(uid, uid, uid))
		return 1;
	if (flags && unshare(flags))
		return 2;
	if (tap_errno(set_end(OVID_NET_INTERFACE, "pirate0")) != error)
		return 3;
	if (make && !if_nametoindex("pirate0"))
		return 4;
	if (here >= 0 && (write(here, &c, 1) != 1 || read(go, &c, 1) != 1))
		return 5;
	return 0;
}

static pid_t start_elsewhere(int flags, uid_t uid, int error, bool make, int go, int here)
{
	pid_t pid = fork();

	if (!pid)
		_exit(elsewhere(flags, uid, error, make, go, here));
	return pid;
}

static int ended(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* that of a namespace that is gone, which takes a while */
static bool gone_with_it(void)
{
	struct ovid_net_info i = { .size = sizeof(i) };

	for (int n = 0; n < 500; n++) {
		if (if_nametoindex("pirate0"))
			return false;
		if (!ov_ioctl(h, OVID_NET_INFO, &i) && !i.ifindex)
			return true;
		i.flags = 0;
		ov_sleep_ms(20);
	}
	return false;
}

static void namespaces(void)
{
	int go[2], here[2];
	char c = 0;
	pid_t pid;

	if (pipe(go) || pipe(here))
		tap_bail("no pipe");
	tap_is(set_end(OVID_NET_NONE, ""), 0, "no end");
	tap_is(ended(start_elsewhere(0, 1000, EPERM, false, -1, -1)), 0, "not everybody may");
	tap_is(ended(start_elsewhere(CLONE_NEWUSER, 1000, EPERM, false, -1, -1)), 0,
	       "nor who is root elsewhere");
	tap_is(info().kind, OVID_NET_NONE, "... and there is none");

	/* a user's own network, which goes */
	pid = start_elsewhere(CLONE_NEWUSER | CLONE_NEWNET, 1000, 0, true, go[0], here[1]);
	tap_is(read(here[0], &c, 1), 1, "who has a network of his own has an interface");
	tap_is(if_nametoindex("pirate0"), 0, "... there, and not here");
	tap_ok(info().ifindex, "... which it says");
	tap_is(write(go[1], &c, 1), 1, "he goes");
	tap_is(ended(pid), 0, "... in order");
	tap_ok(gone_with_it(), "it goes with its network, and is in no other one");
	tap_is(set_link(OVID_NET_LINK_DOWN), 0, "its link goes");
	tap_is(set_link(0), 0, "... and comes");
	tap_is(set_end(OVID_NET_INTERFACE, "after%d"), 0, "another one in its place");

	/* and with the end replaced while that is under way */
	for (int i = 0; i < 10; i++) {
		pid = start_elsewhere(CLONE_NEWNET, 0, 0, true, go[0], here[1]);
		if (read(here[0], &c, 1) != 1 || write(go[1], &c, 1) != 1 || ended(pid))
			tap_ok(false, "one in a network that goes");
		ov_sleep_ms(i * 3);
		if (set_end(i & 1 ? OVID_NET_NONE : OVID_NET_FRAMES, ""))
			tap_ok(false, "... is replaced meanwhile");
	}

	/* moved */
	tap_is(set_end(OVID_NET_INTERFACE, "moves0"), 0, "an interface");
	pid = fork();
	if (!pid) {
		unshare(CLONE_NEWNET);
		_exit(write(here[1], &c, 1) != 1 || read(go[0], &c, 1) != 1);
	}
	tap_is(read(here[0], &c, 1), 1, "a network");
	tap_is(link_request(RTM_NEWLINK, info().ifindex, pid), 0, "it moves there");
	tap_is(if_nametoindex("moves0"), 0, "... and is not here");
	tap_ok(info().ifindex && !strcmp((char *)info().ifname, "moves0"), "... but is");
	tap_is(set_end(OVID_NET_NONE, ""), 0, "it goes with the end");
	tap_is(info().ifindex, 0, "... from there");
	tap_is(write(go[1], &c, 1), 1, "the network goes");
	tap_is(ended(pid), 0, "... in order");
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(here[i]);
	}
}

/* ---- frames of the host's, for a guest that is not there ---- */

static volatile bool stop_sending;

static void *send_main(void *arg)
{
	uint8_t frame[1514] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };
	int s = -1;

	(void)arg;
	for (unsigned int i = 0; !stop_sending; i++) {
		if (i % 64 == 0) {
			close(s);
			bring_up("load0");
			s = packets("load0");
		}
		if (send(s, frame, i % 5 ? sizeof(frame) : 1 + i % 60, 0) < 0)
			ov_sleep_ms(1);
	}
	close(s);
	return NULL;
}

static void under_load(void)
{
	pthread_t thread;
	int failed = 0;

	tap_is(set_end(OVID_NET_INTERFACE, "load0"), 0, "an interface");
	tap_is(bring_up("load0"), 0, "... that is up");
	pthread_create(&thread, NULL, send_main, NULL);
	ov_sleep_ms(50);
	for (int i = 0; i < 20; i++) {
		failed += !!set_end(i & 1 ? OVID_NET_FRAMES : OVID_NET_NONE, "");
		failed += !!set_end(OVID_NET_INTERFACE, "load0");
		set_link(i & 1 ? OVID_NET_LINK_DOWN : 0);
		ov_sleep_ms(5);
	}
	stop_sending = true;
	pthread_join(thread, NULL);
	tap_is(failed, 0, "it goes and comes while somebody sends by it");
	tap_is(info().rx_frames, 0, "nobody took any");
	tap_is(set_link(0), 0, "with a cable");
}

/* ---- again and again ---- */

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static int one_life(int i)
{
	struct ovid_net card = good_card();
	int was = h, failed;

	h = offer(vm.part, "net", 100 + i);
	if (h < 0) {
		h = was;
		return 1;
	}
	card.queues = 1 + i % OVID_NET_MAX_QUEUES;
	failed = !!ov_ioctl(h, OVID_NET_SETUP, &card);
	if (i % 8 == 0)
		failed += !!set_end(OVID_NET_INTERFACE, "cycle%d");
	failed += !!set_end(OVID_NET_FRAMES, "");
	failed += put(FRAME(.bytes = 60), -1) != 80;
	if (i % 8 == 4)
		failed += !!set_end(OVID_NET_INTERFACE, "cycle%d");
	close(h);
	h = was;
	return failed;
}

static void lives(void)
{
	int files, failed = 0, i;
	long before, after;

	for (i = 0; i < 20; i++)
		failed += one_life(i);
	files = open_files();
	before = host_read("/proc/meminfo", "SUnreclaim");
	for (i = 0; i < 200; i++)
		failed += one_life(i);
	ov_sleep_ms(200);
	after = host_read("/proc/meminfo", "SUnreclaim");
	tap_is(failed, 0, "200 cards come and go");
	tap_is(open_files(), files, "all files are closed");
	tap_ok(after < before + 1024, "slab memory is back: %ld KiB, %ld before", after, before);
	tap_is(if_nametoindex("cycle0"), 0, "no interface stays");
}

/* the file is closed while others use it: it goes when they do */
static void close_under(void)
{
	struct waiter reads, polls;
	int was = h, other = offer(vm.part, "net", 900);
	struct ovid_net card = good_card();

	h = other;
	tap_is(ov_ioctl(h, OVID_NET_SETUP, &card), 0, "another card");
	tap_is(set_end(OVID_NET_FRAMES, ""), 0, "... with frames");
	start_waiter(&reads, false);
	start_waiter(&polls, true);
	close(other);
	ov_sleep_ms(20);
	pthread_kill(reads.thread, SIGUSR1);
	pthread_kill(polls.thread, SIGUSR1);
	pthread_join(reads.thread, NULL);
	pthread_join(polls.thread, NULL);
	tap_is(reads.error, EINTR, "who reads is interrupted");
	tap_ok(polls.error == EINTR || polls.revents == POLLNVAL, "... and who polls");
	h = offer(vm.part, "net", 900);
	tap_ok(h >= 0, "... and its name is free");
	close(h);
	h = was;
}

int main(void)
{
	tap_begin("abi-net", 300);
	start();
	create(vm.part, 0);
	h = offer(vm.part, "net", 0);
	if (!tap_ok(h >= 0, "a card is offered"))
		return tap_done();
	before();
	bad_cards();
	set_up();
	links();
	bad_ends();
	sockets();
	frames();
	waiters();
	interfaces();
	namespaces();
	under_load();
	lives();
	close_under();
	/* the interface goes with the file */
	close(h);
	tap_is(if_nametoindex("load0"), 0, "its interface went with it");
	ov_vm_destroy(&vm);
	return tap_done();
}
