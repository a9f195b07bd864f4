#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the test host: a stock guest with Debian's daemons, and what `ovid` asks of it through
# its integration components.  Prints what became of it: 64-components reads that.
# The guest's part is vmbus.sh, "serve".  usage: components.sh APPEND MEMORY COPY, both in MiB:
# the guest's memory, the size of the file that is copied
append=$1 memory=$2 copy=$3

. ./ask.sh

written() { guest | sed -n 's/^VMBUS wrote //p' | tail -n 1; }

# say WHAT COMMAND...: its first line of output, or of errors, and its status
say() {
	what=$1; shift
	"$@" >out 2>err
	echo "$what: $? $(cat out err | head -n 1)"
}

ovid run --kernel vmlinux --initrd programs --memory "${memory}M" --vps 2 --name g --detach \
	--serial file:g.log --append "$append" || exit
seen 'VMBUS serves' && seen 'VMBUS wrote .*' 3 && echo "it serves"

seen 'VMBUS year 2001' && echo "its clock was wrong"
until_ok ovid timesync g
say sync ovid timesync g
seen "VMBUS year $(date +%Y)" && echo "its clock is right"
say sample ovid timesync --sample g

until_ok ovid heartbeat g
say heartbeat ovid heartbeat g

until_ok ovid kvp list --pool auto g
say set ovid kvp set g colour 'grün #1'
say get ovid kvp get g colour
say os ovid kvp get --pool auto g OSName
say name ovid kvp get --pool auto g FullyQualifiedDomainName
say delete ovid kvp delete g colour
say gone ovid kvp get g colour

until_ok ovid freeze --check g
before=$(written)
say freeze ovid freeze g
sleep 1
frozen=$(written)
sleep 4
[ "$frozen" = "$(written)" ] && [ "$frozen" -ge "$before" ] && echo "nothing was written"
say thaw ovid thaw g
seen "VMBUS wrote $((frozen + 3))" && echo "it writes again"

dd if=/dev/urandom of=file bs=1M count="$copy" 2>/dev/null
: >whole
say copy ovid copy --mkdir g file /in/file
say whole ovid copy g whole /in/file.whole
seen "VMBUS file file $(sha256sum <file)" && echo "the file is the same"
say again ovid copy g file /in/file

say shutdown ovid shutdown --wait g
guest | grep -E 'BUG:|Call Trace|hung|unchecked MSR|stall' | sed 's/^/complaint: /'
echo "the end"
