// SPDX-License-Identifier: GPL-2.0-only
/*
 * nameserver.c - in the test host: a nameserver on 127.0.0.1 that knows one address, 192.0.2.55, for whatever
 * it is asked: what a guest asks of `--net user` comes here.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD	12	/* bytes in front of the question */

static const unsigned char address[] = {
	0xc0, HEAD, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 55,
};

/* one question, without anything behind it */
static ssize_t answer(unsigned char *m, ssize_t len)
{
	ssize_t end = HEAD;

	while (end < len && m[end])
		end += m[end] + 1;
	end += 5;
	if (end > len)
		return 0;
	m[2] = 0x81;
	m[3] = 0x80;
	memcpy(m + 4, "\0\1\0\1\0\0\0\0", 8);
	/* an address of IPv4 is asked for, or there is none */
	if (m[end - 3] != 1) {
		m[7] = 0;
		return end;
	}
	memcpy(m + end, address, sizeof(address));
	return end + sizeof(address);
}

int main(void)
{
	struct sockaddr_in sa = {
		.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned char m[1024];
	struct sockaddr_in from;
	socklen_t room;
	ssize_t len;

	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		perror("nameserver");
		return 1;
	}
	for (;;) {
		room = sizeof(from);
		len = recvfrom(fd, m, sizeof(m) - sizeof(address), 0, (struct sockaddr *)&from, &room);
		if (len < HEAD)
			continue;
		len = answer(m, len);
		if (len && sendto(fd, m, len, 0, (struct sockaddr *)&from, room) != len)
			return 1;
	}
}
