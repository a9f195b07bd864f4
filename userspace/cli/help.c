// SPDX-License-Identifier: GPL-2.0-only
/* help.c - the text of --help, for each verb. */
#include <stdio.h>

#include "cli.h"

#define JSON_LINE "  --json        print JSON\n"

static const struct {
	const char *verb;
	const char *text;
} helps[] = {
	{ "run",
	  "usage: ovid run --kernel FILE [option]...\n"
	  "       ovid run --disk FILE --boot-from-disk [option]...\n"
	  "Runs a virtual machine and ends with its status.\n\n"
	  "  --kernel FILE     Linux bzImage, ELF kernel with a PVH note, or Multiboot image\n"
	  "  --initrd FILE     initial RAM disk or Multiboot module; may be repeated\n"
	  "  --append TEXT     kernel command line\n"
	  "  --memory SIZE     bytes, or with K, M, G (512M)\n"
	  "  --vps N           virtual processors (1)\n"
	  "  --serial WHERE    COM1: stdio, none, file:PATH or unix:PATH (stdio)\n"
	  "  --name NAME       for the other verbs\n"
	  "  --detach          leave it running; needs --name\n"
	  "  --no-reboot       a guest's reset ends the VM\n"
	  "  --debug-exit      port 0xf4: writing V ends with status (V << 1) | 1\n"
	  "  --test-device     ports and memory that test kernels expect of QEMU's pc-testdev\n"
	  "  --hv LIST         of the hypervisor interface: on, off, +NAME, -NAME with commas\n"
	  "                    between (on); `ovid info` lists the names\n"
	  "  --vmbus WHAT      the synthetic bus: on, off, or the newest version that is spoken,\n"
	  "                    like 4.1 (on); with ,latency=US guests signal by memory that is\n"
	  "                    looked at each US microseconds\n"
	  "  --vsock DIR       the guest's sockets: its connects to port N go to DIR/vsock_N,\n"
	  "                    programs reach the guest through DIR/vsock\n"
	  "  --vsock-cid N     or: the guest's sockets as AF_VSOCK of the host, the guest as CID N\n"
	  "  --disk FILE[,ro][,lun=N][,controller=N][,serial=TEXT]\n"
	  "         [,format=raw|vhd|vhdx][,sector=512|512e|4096][,iops=N][,bps=SIZE]\n"
	  "                    a SCSI disk of a raw file, a block device, a VHDX or a VHD; may be\n"
	  "                    repeated\n"
	  "  --dvd FILE|none[,lun=N][,controller=N][,serial=TEXT]\n"
	  "                    a DVD drive with the disc that an ISO image is; may be repeated\n"
	  "  --net END[,WORD]...\n"
	  "                    a network card (without one there is no network); may be repeated.\n"
	  "                    END: user (its own network behind this host's addresses), bridge=NAME,\n"
	  "                    tap=NAME, if[=NAME] (an interface of the host's), fd=N (tap or macvtap),\n"
	  "                    none.  Words: mac=ADDRESS, queues=N, mtu=N, guard=on, link=off; with\n"
	  "                    bridge: vlan=N; with user: hostfwd=tcp|udp:[ADDR]:PORT-[ADDR]:PORT,\n"
	  "                    net=CIDR, restrict=on, hostname=NAME\n"
	  "  --boot-from-disk  kernel, initrd and command line are those that the first disk would\n"
	  "                    boot: its grub.cfg, loader/entries, or EFI/Linux; --append adds to it\n"
	  "  --device PATH     the module's device (/dev/ovid)\n"
	  "  --user NAME       as root: whom the worker becomes (nobody)\n"
	  "  --no-sandbox      no system-call filter; for debugging ovid itself\n\n"
	  "On a terminal Ctrl-C or Ctrl-A x stops the VM, Ctrl-A c types Ctrl-C, Ctrl-A a\n"
	  "types Ctrl-A.\n\n"
	  "Exit status: 0 powered off, 2 bad usage, 4 guest crashed (triple fault), 6 reset\n"
	  "with --no-reboot, 8 host error, 130 stopped; odd: the guest's debug exit.\n" },
	{ "info",
	  "usage: ovid info [--json] [NAME]\n"
	  "Says what this host can do, and if it cannot run a VM, why and what to do (exit\n"
	  "status 8); with NAME, what that VM is.\n\n" JSON_LINE },
	{ "list",
	  "usage: ovid list [--json]\nLists your running VMs.\n\n" JSON_LINE },
	{ "console",
	  "usage: ovid console NAME\n"
	  "Joins a VM's serial console, from the last 64 KiB on.  Ctrl-A x leaves it, Ctrl-A a\n"
	  "types Ctrl-A.\n" },
	{ "pause", "usage: ovid pause [--json] NAME\nStops a VM's processors and its time.\n\n" JSON_LINE },
	{ "resume", "usage: ovid resume [--json] NAME\nLets a paused VM go on.\n\n" JSON_LINE },
	{ "reset", "usage: ovid reset [--json] NAME\nRestarts a VM from its kernel file.\n\n" JSON_LINE },
	{ "nmi", "usage: ovid nmi [--json] NAME\nSends an NMI to a VM's first processor.\n\n" JSON_LINE },
	{ "pulse",
	  "usage: ovid pulse [option]... NAME\n"
	  "Moves a running VM to a new partition: everything of the old one is read, written\n"
	  "into the new one, and the VM goes on where it stood.  If that fails it goes on with\n"
	  "the old one.\n\n"
	  "  --count N     so many times, one behind the other (1)\n"
	  "  --device PATH the module's device (/dev/ovid)\n" JSON_LINE },
	{ "kill", "usage: ovid kill [--json] NAME\nStops a VM at once (status 130).\n\n" JSON_LINE },
	{ "stat",
	  "usage: ovid stat [--json] NAME\n"
	  "Prints the counters of a VM, of its channels and of its processors.\n\n" JSON_LINE },
	{ "wait",
	  "usage: ovid wait [--json] NAME\n"
	  "Waits for a VM's end, and ends with its status; a detached VM's is kept until\n"
	  "its name is taken again.\n\n" JSON_LINE },
	{ "shutdown",
	  "usage: ovid shutdown [option]... NAME\n"
	  "Asks the guest to power off.  Ends when it has agreed.\n\n"
	  "  --reboot        to restart\n"
	  "  --hibernate     to save itself to its disk and power off\n"
	  "  --force         without asking programs whether they like it\n"
	  "  --message TEXT  for people in the guest\n"
	  "  --timeout S     seconds that it may take, as the guest is told; with --wait, how\n"
	  "                  long to wait\n"
	  "  --wait          wait for the VM's end, and end with its status\n" JSON_LINE },
	{ "heartbeat",
	  "usage: ovid heartbeat [--watch] [--json] NAME\n"
	  "Says whether the guest is alive (exit status 0) or not (8).\n\n"
	  "  --watch     a line for each change, until the VM ends\n" JSON_LINE },
	{ "kvp",
	  "usage: ovid kvp get|delete [option]... NAME KEY\n"
	  "       ovid kvp set [option]... NAME KEY VALUE\n"
	  "       ovid kvp list [option]... NAME\n"
	  "       ovid kvp ip [--json] NAME [MAC]\n"
	  "Reads and writes the guest's pools of keys and values.  `ip` prints the guest's\n"
	  "addresses, or how the adapter with that MAC address is set up.\n\n"
	  "  --pool POOL external (what the host tells the guest; the default), guest (what the\n"
	  "              guest tells the host), auto (what it says of itself), auto-external,\n"
	  "              auto-internal; list: external, guest and auto when not given\n" JSON_LINE },
	{ "freeze",
	  "usage: ovid freeze [--check] [--json] NAME\n"
	  "The guest flushes its filesystems and stops all writes, until `ovid thaw`.\n\n"
	  "  --check     only ask whether it can\n" JSON_LINE },
	{ "thaw", "usage: ovid thaw [--json] NAME\nEnds what `ovid freeze` began.\n\n" JSON_LINE },
	{ "copy",
	  "usage: ovid copy [option]... NAME FILE PATH\n"
	  "Copies a file into the guest, as PATH, which is absolute; one that ends with / is a\n"
	  "folder.  Ctrl-C cancels.\n\n"
	  "  --overwrite take the place of a file that is there\n"
	  "  --mkdir     make folders that are not there\n" JSON_LINE },
	{ "timesync",
	  "usage: ovid timesync [--sample | --auto on|off] [--json] NAME\n"
	  "Tells the guest what time it is; it sets its clock.\n\n"
	  "  --sample    only a sample, for a program in the guest that slews the clock\n"
	  "  --auto WHEN on: by itself, a sample every five seconds (as in the beginning); off\n" JSON_LINE },
	{ "disk-attach",
	  "usage: ovid disk-attach --disk FILE[,WORD]... [--json] NAME\n"
	  "Gives a running VM one disk more, and says where it is: CONTROLLER:LUN.\n\n"
	  "  --disk FILE[,ro][,lun=N][,controller=N][,serial=TEXT]\n"
	  "         [,format=raw|vhd|vhdx][,sector=512|512e|4096][,iops=N][,bps=SIZE]\n"
	  "                as `ovid run --disk`\n" JSON_LINE },
	{ "disk-detach",
	  "usage: ovid disk-detach [--json] NAME [CONTROLLER:]LUN\n"
	  "Takes a disk away from a running VM, whether its guest has unmounted it or not, when\n"
	  "what is being read and written has ended.\n\n" JSON_LINE },
	{ "disk-resize",
	  "usage: ovid disk-resize [--shrink] [--json] NAME [CONTROLLER:]LUN [[+]SIZE]\n"
	  "Makes a running VM's disk larger, with its file; without a size it is as large as its\n"
	  "file, or the block device, has become.  The guest is told.  An image only becomes larger.\n\n"
	  "  --shrink    cut off what is at the end of the disk\n" JSON_LINE },
	{ "disk-insert",
	  "usage: ovid disk-insert [--force] [--json] NAME [CONTROLLER:]LUN FILE\n"
	  "Puts a disc, an ISO image, into a running VM's DVD drive, in the place of another one.\n\n"
	  "  --force     though the guest keeps the other one\n" JSON_LINE },
	{ "disk-eject",
	  "usage: ovid disk-eject [--force] [--json] NAME [CONTROLLER:]LUN\n"
	  "Takes the disc out of a running VM's DVD drive.  A guest that keeps it is told that somebody\n"
	  "wants it.\n\n"
	  "  --force     though the guest keeps it\n" JSON_LINE },
	{ "disk-limit",
	  "usage: ovid disk-limit [--iops N] [--bps SIZE] [--json] NAME [CONTROLLER:]LUN\n"
	  "How much a running VM's disk does in a second, from now on.  What is more waits, and the\n"
	  "VM's other disks do not.  Without an option, what is so; and how many requests waited.\n\n"
	  "  --iops N    reads, writes, flushes, ...; 0: any number\n"
	  "  --bps SIZE  bytes that are read and written, or with K, M, G or T; 0: any number\n" JSON_LINE },
	{ "disk-list",
	  "usage: ovid disk-list [--json] NAME\n"
	  "The disks of a running VM: where, how large, read only, serial number, limits, file.\n\n" JSON_LINE },
	{ "net-attach",
	  "usage: ovid net-attach [--json] NAME END[,WORD]...\n"
	  "Gives a running VM one network card more, as `ovid run --net` says it, and says its\n"
	  "number.\n\n" JSON_LINE },
	{ "net-detach",
	  "usage: ovid net-detach [--json] NAME NIC\n"
	  "Takes a network card away from a running VM.\n\n" JSON_LINE },
	{ "net-link",
	  "usage: ovid net-link [--json] NAME NIC up|down\n"
	  "Plugs the cable of a running VM's network card in, or pulls it.\n\n" JSON_LINE },
	{ "net-move",
	  "usage: ovid net-move [--json] NAME NIC END[,WORD]...\n"
	  "Gives a running VM's network card another end, as `ovid run --net` says it; the card stays\n"
	  "as it is, and the guest is told that it is another network.\n\n" JSON_LINE },
	{ "net-forward",
	  "usage: ovid net-forward [--json] NAME NIC tcp|udp:[ADDR]:PORT-[ADDR]:PORT\n"
	  "       ovid net-forward --remove [--json] NAME NIC tcp|udp:[ADDR]:PORT\n"
	  "A port of the host's (of 127.0.0.1, without an address) leads to one of the guest's, by a\n"
	  "card of `--net user`.\n\n"
	  "  --remove    it does so no more\n" JSON_LINE },
	{ "net-list",
	  "usage: ovid net-list [--json] NAME\n"
	  "The network cards of a running VM: number, address, state, bytes that were received and\n"
	  "sent, end.\n\n" JSON_LINE },
	{ "ip",
	  "usage: ovid ip [--wait[=S]] [--json] NAME\n"
	  "The addresses that a guest says it has, one a line (its hv_kvp_daemon does).\n\n"
	  "  --wait        wait until there is one by which others reach it, 60 seconds at most;\n"
	  "                --wait=S: S seconds\n" JSON_LINE },
	{ "disk",
	  "usage: ovid disk create [option]... FILE [SIZE]\n"
	  "       ovid disk info|check|map [option]... FILE\n"
	  "       ovid disk convert [option]... FILE NEW-FILE\n"
	  "       ovid disk resize [option]... FILE [+|-]SIZE\n"
	  "       ovid disk merge [--delete | --output NEW-FILE] FILE\n"
	  "       ovid disk rebase [--unsafe] --parent NEW-PARENT FILE\n"
	  "       ovid disk compact FILE\n"
	  "Makes and looks after disk images: raw, VHDX, VHD.  A size is in bytes, or with K, M, G\n"
	  "or T.  A new file's name says its format: .vhdx, .vhd, .raw, .img, .iso.  It gets that\n"
	  "name when it is complete.  `merge` writes what a differencing image has into its parent;\n"
	  "`rebase` puts it on another one, and it reads as before; `compact` makes the file shorter.\n"
	  "If these are stopped nothing is lost, and they can be begun again.\n\n"
	  "  --format FORMAT         -f: of FILE: raw, vhd or vhdx; else it is what it seems to be\n"
	  "  --output-format FORMAT  -O: of NEW-FILE\n"
	  "  --kind KIND       dynamic: takes space as it is written (the default), or fixed: at once\n"
	  "  --parent FILE     -b: differencing: has what is written, and the rest is in that VHDX\n"
	  "  --block-size SIZE takes space by so much\n"
	  "  --sector BYTES    512 or 4096\n"
	  "  --force           take the place of a file that is there\n"
	  "  --repair          -r: put right what a crash has left\n"
	  "  --shrink          cut off what is at the end of the disk\n"
	  "  --output FILE     -o: merge into a new file; the image and its parent stay as they are\n"
	  "  --delete          the image, when its parent has all of it\n"
	  "  --unsafe          -u: only say that the parent is another one; it must have the same content\n"
	  "  --quiet           -q: do not show how far it is\n" JSON_LINE },
};

bool cli_help(const char *verb)
{
	for (size_t i = 0; verb && i < ARRAY_SIZE(helps); i++)
		if (!strcmp(verb, helps[i].verb)) {
			fputs(helps[i].text, stdout);
			return true;
		}
	if (verb)
		return false;
	fputs("usage: ovid VERB [option]...\n\n"
	      "  run       run a virtual machine\n"
	      "  info      what this host can do, or what a VM is\n"
	      "  list      running VMs\n"
	      "  console   join a VM's serial console\n"
	      "  pause, resume, reset, nmi, kill\n"
	      "  pulse     move a running VM to a new partition\n"
	      "  stat      counters\n"
	      "  wait      wait for a VM's end\n"
	      "Through the guest's integration services:\n"
	      "  shutdown  power off, reboot, hibernate\n"
	      "  heartbeat is it alive?\n"
	      "  kvp       keys and values, addresses\n"
	      "  freeze, thaw\n"
	      "  copy      a file into the guest\n"
	      "  timesync  set its clock\n"
	      "Disks of a running VM:\n"
	      "  disk-attach, disk-detach, disk-resize, disk-insert, disk-eject, disk-limit, disk-list\n"
	      "Without a VM:\n"
	      "  disk      make, convert, check, resize, merge, compact disk images\n\n"
	      "`ovid VERB --help` says more; so does ovid(1).\n", stdout);
	return true;
}
