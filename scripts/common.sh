# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# common.sh - what the scripts share: where things are, and how to complain.
# Sourced, never run.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CACHE=${SIP_STRICT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sip-strict}
# One build directory per checkout: two clones on a machine never share objects.
TREE_ID=$(printf '%s' "$REPO" | sha256sum | cut -c1-12)
# The kernels that are built for and booted, oldest first. One more, "debug",
# is not Debian's binary: scripts/debug-kernel makes it.
KERNELS=(5.10 6.1 6.12 newest)

PROG=${0##*/}

say()
{
	printf '%s: %s\n' "$PROG" "$*" >&2
}

die()
{
	say "$*"
	exit "${DIE_CODE:-1}"
}

need_root()
{
	[ "$(id -u)" -eq 0 ] || die "needs root for $1: run it with sudo, or as root"
}

kernel_known()
{
	local k
	for k in "${KERNELS[@]}"; do
		[ "$k" != "$1" ] || return 0
	done
	return 1
}

check_kernel()
{
	kernel_known "$1" || [ "$1" = debug ] || die "no kernel '$1' (there are: ${KERNELS[*]} debug)"
}

root_dir()
{
	printf '%s/roots/%s' "$CACHE" "$1"
}

# Version of the kernel in a root, as uname -r will say it.
root_kver()
{
	cat "$(root_dir "$1")/kver"
}

# Where the module for a kernel is put by scripts/build.
module_path()
{
	printf '%s/build/%s/%s/nf_conntrack_sip_strict.ko' "$CACHE" "$TREE_ID" "$1"
}
