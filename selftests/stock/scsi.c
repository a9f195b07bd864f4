// SPDX-License-Identifier: GPL-2.0-only
/*
 * scsi DEVICE CDB [in=BYTES | out=BYTES] - a SCSI command to a block device (SG_IO), in hexadecimal;
 * what goes out is read from stdin.  A device that is a digit is a file that is open.  Prints what
 * became of it:
 *	good BYTES [HEX...]	how many were moved; the first of what came in
 *	sense KEY/CODE/QUALIFIER [INFORMATION]
 *	status HEX		without sense
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SHOWN	64

static unsigned char data[1 << 16], cdb[16], sense[32];

static unsigned int hex(const char *text, unsigned char *buf, unsigned int room)
{
	unsigned int n = 0, byte;

	for (; n < room && sscanf(text, "%2x", &byte) == 1 && strlen(text) > 1; text += 2)
		buf[n++] = byte;
	return n;
}

static void direction(struct sg_io_hdr *io, const char *word)
{
	bool in = !strncmp(word, "in=", 3);

	io->dxfer_direction = in ? SG_DXFER_FROM_DEV : SG_DXFER_TO_DEV;
	io->dxfer_len = strtoul(strchr(word, '=') + 1, NULL, 0);
	if (io->dxfer_len > sizeof(data))
		io->dxfer_len = sizeof(data);
	if (!in && fread(data, 1, io->dxfer_len, stdin) != io->dxfer_len)
		exit(2);
}

static int tell(const struct sg_io_hdr *io)
{
	unsigned int moved = io->dxfer_len - io->resid;

	if (io->status == 2) {
		printf("sense %x/%02x/%02x", sense[2] & 0xf, sense[12], sense[13]);
		if (sense[0] & 0x80)
			printf(" %u", sense[3] << 24 | sense[4] << 16 | sense[5] << 8 | sense[6]);
		putchar('\n');
		return 1;
	}
	if (io->status || io->host_status) {
		printf("status %02x %02x\n", io->status, io->host_status);
		return 1;
	}
	printf("good %u", moved);
	if (io->dxfer_direction == SG_DXFER_FROM_DEV && moved)
		putchar(' ');
	for (unsigned int i = 0; io->dxfer_direction == SG_DXFER_FROM_DEV && i < moved && i < SHOWN; i++)
		printf("%02x", data[i]);
	putchar('\n');
	return 0;
}

static int device(const char *name)
{
	int fd;

	if (*name >= '0' && *name <= '9')
		return atoi(name);
	/* a drive without a disc can be opened like that only */
	fd = open(name, O_RDWR | O_NONBLOCK);
	return fd < 0 ? open(name, O_RDONLY | O_NONBLOCK) : fd;
}

int main(int argc, char **argv)
{
	struct sg_io_hdr io = {
		.interface_id = 'S', .dxfer_direction = SG_DXFER_NONE, .cmdp = cdb, .sbp = sense,
		.mx_sb_len = sizeof(sense), .dxferp = data, .timeout = 20000,
	};
	int fd;

	if (argc < 3 || (argc > 3 && !strchr(argv[3], '=')))
		return 2;
	fd = device(argv[1]);
	io.cmd_len = hex(argv[2], cdb, sizeof(cdb));
	if (argc > 3)
		direction(&io, argv[3]);
	if (fd < 0 || ioctl(fd, SG_IO, &io)) {
		perror(argv[1]);
		return 3;
	}
	return tell(&io);
}
