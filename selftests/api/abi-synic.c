// SPDX-License-Identifier: GPL-2.0-only
/* what a guest posts and signals, and events that a process sends: OVID_SYNIC_PORT, OVID_INJECT_EVENT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/ov.h"
#include "lib/tap.h"

#define RAM		(4u << 20)
#define INPUT		0x3000

#define POST		0x5c
#define SIGNAL		0x5d
#define FAST		0x10000

#define NO_CONNECTION	HV_STATUS_INVALID_CONNECTION_ID
#define FULL		HV_STATUS_INSUFFICIENT_BUFFERS

static struct ov_vm vm;

static void start(void)
{
	ov_vm_create32(&vm, RAM);
	if (ov_set(vm.vp, HV_REGISTER_GUEST_OS_ID, 1) ||
	    ov_set(vm.vp, HV_X64_REGISTER_HYPERCALL, 0x10001))
		tap_bail("no hypercall page");
}

static int post(uint32_t connection, uint32_t type, const char *text, uint32_t bytes)
{
	struct { uint32_t connection, zero, type, bytes; char payload[240]; } in = {
		connection, 0, type, bytes, ""
	};

	strcpy(in.payload, text);
	memcpy(vm.ram + INPUT, &in, sizeof(in));
	return ov_hypercall(&vm, POST, INPUT);
}

static int signal_fast(uint32_t connection, uint32_t flag)
{
	return ov_hypercall(&vm, SIGNAL | FAST, connection | (uint64_t)flag << 32);
}

static int port(uint32_t connection, uint32_t kind, int fd, uint32_t depth)
{
	struct ovid_synic_port arg = { sizeof(arg), 0, connection, kind, fd, depth };

	return ov_ioctl(vm.part, OVID_SYNIC_PORT, &arg);
}

static void close_it(int fd)
{
	close(fd);
}

static void rules(void)
{
	struct ovid_synic_port good = { sizeof(good), 0, 7, OVID_PORT_MESSAGE, 0, 1 };
	int e = eventfd(0, 0);

	start();
	ov_size_rules(vm.part, "OVID_SYNIC_PORT", OVID_SYNIC_PORT, &good, sizeof(good),
		      close_it);
	tap_is(port(0, OVID_PORT_EVENT, e, 0), -EINVAL, "connection 0");
	tap_is(port(0x1000000, OVID_PORT_EVENT, e, 0), -EINVAL, "a connection of more than 24 bits");
	tap_is(port(7, 3, 0, 0), -EINVAL, "an unknown kind");
	tap_is(port(7, OVID_PORT_EVENT, e, 1), -EINVAL, "an event port has no depth");
	tap_is(port(7, OVID_PORT_EVENT, -1, 0), -EBADF, "no file");
	tap_is(port(7, OVID_PORT_EVENT, vm.part, 0), -EINVAL, "a file that is no eventfd");
	tap_is(port(7, OVID_PORT_MESSAGE, 0, 0), -EINVAL, "a queue of none");
	tap_is(port(7, OVID_PORT_MESSAGE, 0, OVID_MAX_PORT_DEPTH + 1), -EINVAL, "one too deep");
	tap_is(port(7, OVID_PORT_MESSAGE, e, 1), -EINVAL, "a message port takes no file");
	tap_is(port(7, OVID_PORT_NONE, 0, 0), -ENOENT, "nothing to remove");
	tap_is(port(7, OVID_PORT_NONE, 1, 0), -EINVAL, "nor a file");
	close(e);
	ov_vm_destroy(&vm);
}

static uint64_t count_of(int e)
{
	uint64_t n = 0;

	return read(e, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void events(void)
{
	uint32_t in[2] = { 0x2001, 0 };
	int e = eventfd(0, EFD_NONBLOCK);

	start();
	tap_is(signal_fast(0x2001, 0), NO_CONNECTION, "nobody is there");
	tap_is(port(0x2001, OVID_PORT_EVENT, e, 0), 0, "an event port");
	tap_is(port(0x2001, OVID_PORT_EVENT, e, 0), -EEXIST, "its id is in use");
	tap_is(signal_fast(0x2001, 0), 0, "a signal");
	tap_is(count_of(e), 1, "is heard");
	memcpy(vm.ram + INPUT, in, sizeof(in));
	tap_is(ov_hypercall(&vm, SIGNAL, INPUT), 0, "one whose input is in memory");
	tap_is(count_of(e), 1, "is heard too");
	tap_is(signal_fast(0x2001, 1), HV_STATUS_INVALID_PARAMETER, "it has one flag");
	tap_is(signal_fast(0x1002001, 0), NO_CONNECTION, "more than 24 bits name nobody");
	tap_is(post(0x2001, 1, "", 0), NO_CONNECTION, "it takes no messages");
	tap_is(count_of(e), 0, "none of these is heard");
	tap_is(port(0x2001, OVID_PORT_NONE, 0, 0), 0, "removed");
	tap_is(signal_fast(0x2001, 0), NO_CONNECTION, "nobody any more");
	tap_is(port(0x2001, OVID_PORT_EVENT, e, 0), 0, "added once more, for the partition's end");
	ov_vm_destroy(&vm);
	close(e);
}

static int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void messages(void)
{
	struct ovid_port_message m[4];
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int q, e = eventfd(0, 0);

	start();
	tap_is(post(1, 1, "hello", 5), NO_CONNECTION, "nobody is there");
	q = port(1, OVID_PORT_MESSAGE, 0, 2);
	tap_ok(q >= 0, "a message port");
	tap_ok(fcntl(q, F_GETFD) & FD_CLOEXEC, "its file is not inherited");
	fcntl(q, F_SETFL, O_NONBLOCK);
	tap_is(ready(q), 0, "nothing to read yet");
	tap_is(read(q, m, sizeof(m)), -1, "so nothing is read");
	tap_is(errno, EAGAIN, "EAGAIN");
	tap_is(post(1, 1, "hello", 5), 0, "a message");
	tap_is(post(1, 0x7fffffff, "second", 240), 0, "another, as long as can be");
	tap_is(post(1, 1, "third", 5), FULL, "the queue is full");
	tap_is(signal_fast(1, 0), NO_CONNECTION, "it takes no events");
	tap_is(ready(q), POLLIN, "something to read");
	tap_is(read(q, m, sizeof(m[0]) - 1), -1, "half a message is not read");
	tap_is(errno, EINVAL, "EINVAL");
	tap_is(read(q, nowhere, sizeof(m[0])), -1, "nor to nowhere");
	tap_is(errno, EFAULT, "EFAULT");
	memset(m, 0xff, sizeof(m));
	tap_is(read(q, m, sizeof(m[0]) + 9), sizeof(m[0]), "the first is still there");
	tap_is(m[0].vp, 0, "who posted it");
	tap_is(m[0].type, 1, "its type");
	tap_is(m[0].bytes, 5, "its length");
	tap_is(m[0].pad, 0, "padding");
	tap_ok(!strcmp((char *)m[0].payload, "hello"), "its text, zeros behind it");
	tap_is(post(1, 1, "third", 5), 0, "there is room again");
	tap_is(read(q, m, sizeof(m)), 2 * sizeof(m[0]), "two at once");
	tap_is(m[0].type, 0x7fffffff, "in their order");
	tap_ok(!strcmp((char *)m[1].payload, "third"), "the one that was refused came later");

	tap_is(post(1, 0, "", 0), HV_STATUS_INVALID_PARAMETER, "type 0 is no message");
	tap_is(post(1, 0x80000010, "", 0), HV_STATUS_INVALID_PARAMETER, "a type of the hypervisor's");
	tap_is(post(1, 1, "", 241), HV_STATUS_INVALID_PARAMETER, "241 bytes");
	tap_is(ov_hypercall(&vm, POST | FAST, 1), HV_STATUS_INVALID_HYPERCALL_INPUT, "no message fits registers");
	tap_is(ready(q), 0, "none of these came");
	tap_is(port(1, OVID_PORT_EVENT, e, 0), -EEXIST, "its id is in use");
	post(1, 1, "last", 4);
	tap_is(port(1, OVID_PORT_NONE, 0, 0), 0, "removed");
	tap_is(post(1, 1, "hello", 5), NO_CONNECTION, "nobody any more");
	tap_is(ready(q), POLLIN | POLLHUP, "the last message, then the end");
	tap_is(read(q, m, sizeof(m)), sizeof(m[0]), "the last message");
	tap_is(read(q, m, sizeof(m)), 0, "the end");
	close(q);
	close(e);
	munmap(nowhere, 4096);
	ov_vm_destroy(&vm);
}

static void *reader(void *arg)
{
	struct ovid_port_message m;

	return (void *)(intptr_t)read(*(int *)arg, &m, sizeof(m));
}

static void lives(void)
{
	pthread_t t;
	void *ret;
	int q;

	start();
	q = port(5, OVID_PORT_MESSAGE, 0, OVID_MAX_PORT_DEPTH);
	pthread_create(&t, NULL, reader, &q);
	ov_sleep_ms(20);
	tap_is(post(5, 1, "hello", 5), 0, "a message for one who waits");
	pthread_join(t, &ret);
	tap_is((intptr_t)ret, sizeof(struct ovid_port_message), "wakes him");
	pthread_create(&t, NULL, reader, &q);
	ov_sleep_ms(20);
	tap_is(port(5, OVID_PORT_NONE, 0, 0), 0, "the port goes");
	pthread_join(t, &ret);
	tap_is((intptr_t)ret, 0, "that wakes him too");
	close(q);
	q = port(5, OVID_PORT_MESSAGE, 0, 1);
	tap_is(post(5, 1, "hello", 5), 0, "the id is taken anew");
	tap_is(post(5, 1, "hello", 5), FULL, "with another depth");
	close(q);
	tap_is(post(5, 1, "hello", 5), NO_CONNECTION, "a closed file is no port");
	q = port(6, OVID_PORT_MESSAGE, 0, 4);
	tap_is(post(6, 1, "hello", 5), 0, "one that outlives its partition's files");
	ov_vm_destroy(&vm);
	tap_is((intptr_t)reader(&q), sizeof(struct ovid_port_message), "its message is not lost");
	close(q);
}

static uint8_t *flags_of(void)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));
	struct mshv_get_set_vp_state s = {
		.type = MSHV_VP_STATE_SIEFP, .buf_sz = 4096, .buf_ptr = (uintptr_t)page,
	};

	if (ov_ioctl(vm.vp, MSHV_GET_VP_STATE, &s))
		tap_bail("MSHV_GET_VP_STATE");
	return page;
}

static void sent(void)
{
	int e = eventfd(0, 0);
	uint64_t one = 1;

	start();
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 0, 2 << 16 | 77), 0, "an event while the SynIC is off");
	ov_set(vm.vp, HV_REGISTER_SIEFP, 0x6001);
	ov_set(vm.vp, HV_REGISTER_SCONTROL, 1);
	tap_is(flags_of()[512 + 77 / 8], 0, "is lost");
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 0, 2 << 16 | 77), 0, "an event");
	tap_is(flags_of()[512 + 77 / 8], 1 << 77 % 8, "sets its flag");
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 0, 15 << 16 | 2047), 0, "the last one");
	tap_is(flags_of()[4095], 0x80, "sets the last");
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 0, 16 << 16), -EINVAL, "SINT 16");
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 0, 2048), -EINVAL, "flag 2048");
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 1, 2 << 16), 0, "a VP that is not there yet");
	tap_is(ov_inject(vm.part, OVID_INJECT_EVENT, 1ull << 32, 2 << 16), -EINVAL, "one that cannot be");
	tap_is(ov_route(vm.part, 9, OVID_ROUTE_EVENT, 0, 3 << 16 | 8), 0, "a route");
	tap_is(ov_route(vm.part, 9, OVID_ROUTE_EVENT, 0, 3 << 16 | 2048), -EINVAL, "one to no flag");
	tap_is(ov_irqfd(vm.part, e, 9, 0), 0, "an irqfd of it");
	tap_is(flags_of()[3 * 256 + 1], 0, "not yet");
	tap_is(write(e, &one, sizeof(one)), sizeof(one), "it is written");
	tap_is(flags_of()[3 * 256 + 1], 1, "sets the flag");
	ov_vm_destroy(&vm);
	close(e);
}

int main(void)
{
	tap_begin("abi-synic", 60);
	rules();
	events();
	messages();
	lives();
	sent();
	return tap_done();
}
