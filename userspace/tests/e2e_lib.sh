# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# For e2e and e2e_ic: `ovid` on a pretended module (fake_vid.c), and points of TAP.
# Sourced with: PROGRAM [option of run]...
ovid=$1
shift
run_options=$*
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export OVID_RUNTIME_DIR=$dir/run
n=0 bad=0

ok() {	# ok STATUS TEXT
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/err" "$dir/out" | head -20
		bad=$((bad + 1))
	fi
}

is() { [ "$1" = "$2" ]; ok $? "$3 (${1:-nothing})"; }

vm() {	# vm SCRIPT OPTION...
	script=$1
	shift
	timeout 20 "$ovid" run --device /dev/fake --kernel "$dir/kernel" --memory 32M \
		--append "$script" $run_options "$@" > "$dir/out" 2> "$dir/err"
}

# An ELF kernel with a PVH note, as small as it gets.
python3 - "$dir/kernel" <<'P'
import struct, sys
eh = struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\x02\x01\x01', 2, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
load = struct.pack('<IIQQQQQQ', 1, 5, 4096, 0, 0x1000000, 16, 16, 4096)
note = struct.pack('<IIQQQQQQ', 4, 4, 512, 0, 0, 24, 24, 4)
img = (eh + load + note).ljust(512, b'\0')
img += struct.pack('<III4sQ', 4, 8, 18, b'Xen', 0x1000000)
open(sys.argv[1], 'wb').write(img.ljust(4096, b'\0') + b'\xf4' * 16)
P

