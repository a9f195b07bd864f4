# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# lib.sh - what the checks share.  They run in the top folder of the tree.
set -u
lintd=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$lintd/../.." || exit 1

# Whatever kernel the tests are for: a newer checkpatch asks for what older kernels have not,
# and a newer kernel for a sparse that Debian has not.
export OVID_KERNEL=6.12 OVID_CONFIG=lean

# cannot WHY: this check cannot run here
cannot() { echo "$*"; exit 77; }

need() { command -v "$1" >/dev/null || cannot "$1 is not installed (selftests/lint-packages)"; }

# the unpacked kernel source, from the test host's cache
kernel_source() { selftests/host/build/source "$OVID_KERNEL" 2>/dev/null; }

# files PATTERN...: those in the tree that git knows or could know
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }
