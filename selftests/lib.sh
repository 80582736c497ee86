#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lib.sh - what the selftests written in shell share.
#
# A test sources it, sets a trap on cleanup, calls ktap_begin, reports each case
# by ktap_case NAME and then ktap_pass, ktap_fail or ktap_skip, and ends with
# ktap_end: the exit code is computed there, from the counts, and nowhere else.

ksft_skip=4
KTAP_NAME=
KTAP_PASSED=0
KTAP_FAILED=0
KTAP_SKIPPED=0
KTAP_MARK=
NS_LIST=()
CLEAN_PIDS=()
CLEAN_FILES=()
SLOW=$((${KSFT_MACHINE_SLOW:-0} + 1))
SIP_STRICT_KO=nf_conntrack_sip_strict
TAINT_BITS=$(((1 << 9) | (1 << 7) | (1 << 5) | (1 << 4) | (1 << 14)))
KERNEL_TROUBLE='WARNING:|BUG:|Oops|general protection|Call Trace|unable to handle'
KERNEL_TROUBLE+='|self-detected stall|detected stalls|INFO: task|kmemleak:|UBSAN|KASAN'
KERNEL_TROUBLE+='|refcount_t:|suspicious RCU|possible (recursive|circular) locking'
KERNEL_TROUBLE+='|scheduling while atomic|sleeping function called|memory leak'
KERNEL_TROUBLE+='|unregister_netdevice: waiting'

# --- results ---------------------------------------------------------------

ktap_begin()
{
	echo "TAP version 13"
	KTAP_TAINT=$(($(cat /proc/sys/kernel/tainted) & TAINT_BITS))
}

# ktap_case NAME: what comes now; it stands in the kernel's log as well.
ktap_case()
{
	KTAP_NAME=$1
	KTAP_MARK="sip_strict_test: $1"
	[[ ! -w /dev/kmsg ]] || echo "$KTAP_MARK" >/dev/kmsg
}

# New lines of the kernel's log that mean trouble, and new taint.
kernel_trouble()
{
	local taint

	dmesg 2>/dev/null | awk -v mark="$KTAP_MARK" '
		index($0, mark) { n = 0; seen = 1; next } seen { line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }' |
		grep -E -A20 "$KERNEL_TROUBLE" || true
	taint=$(($(cat /proc/sys/kernel/tainted) & TAINT_BITS))
	[[ $taint == "$KTAP_TAINT" ]] || echo "/proc/sys/kernel/tainted has new bits: $taint"
	KTAP_TAINT=$taint
}

ktap_result()
{
	local result=$1 reason=${2:-} trouble number

	trouble=$(kernel_trouble)
	if [[ -n $trouble ]]; then
		result=fail
		reason="${reason:+$reason; }the kernel complained:"$'\n'$trouble
	fi
	if [[ $result == skip && ${SIP_STRICT_NO_SKIP:-} == 1 ]]; then
		result=fail
	fi
	number=$((KTAP_PASSED + KTAP_FAILED + KTAP_SKIPPED + 1))
	case $result in
	pass)
		KTAP_PASSED=$((KTAP_PASSED + 1))
		echo "ok $number $KTAP_NAME"
		;;
	skip)
		KTAP_SKIPPED=$((KTAP_SKIPPED + 1))
		echo "ok $number $KTAP_NAME # SKIP $reason"
		;;
	*)
		KTAP_FAILED=$((KTAP_FAILED + 1))
		echo "not ok $number $KTAP_NAME"
		;;
	esac
	if [[ -n $reason && $result != skip ]]; then
		while IFS= read -r line; do
			echo "# $line"
		done <<<"$reason"
	fi
}

ktap_pass() { ktap_result pass "${1:-}"; }
ktap_fail() { ktap_result fail "${1:-}"; }
ktap_skip() { ktap_result skip "${1:-}"; }

# The plan, the counts, and the exit code.
ktap_end()
{
	echo "1..$((KTAP_PASSED + KTAP_FAILED + KTAP_SKIPPED))"
	echo "# $KTAP_PASSED passed, $KTAP_FAILED failed, $KTAP_SKIPPED skipped"
	[[ $KTAP_FAILED == 0 ]] || exit 1
	[[ $KTAP_PASSED != 0 ]] || exit $ksft_skip
	exit 0
}

# checktool COMMAND "what is missing, and its package": else all is skipped.
checktool()
{
	command -v "$1" >/dev/null || missing "$2"
}

missing()
{
	echo "TAP version 13"
	if [[ ${SIP_STRICT_NO_SKIP:-} == 1 ]]; then
		echo "1..1"
		echo "not ok 1 $(basename "$0") needs $1"
		exit 1
	fi
	echo "1..0 # SKIP needs $1"
	exit $ksft_skip
}

# --- namespaces and commands ------------------------------------------------

# setup_ns a b: namespaces with a random end in their names, in $a and $b.
setup_ns()
{
	local name ns

	for name in "$@"; do
		ns="sips-$name-$(head -c 3 /dev/urandom | od -An -tx1 | tr -d ' \n')"
		ip netns add "$ns"
		NS_LIST+=("$ns")
		printf -v "$name" %s "$ns"
		ip -n "$ns" link set lo up
		ip netns exec "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0
	done
}

# on HOST COMMAND…: runs it in the namespace $HOST, and says so.
on()
{
	local host=$1

	shift
	echo "# $host\$ $*"
	ip netns exec "${!host}" "$@"
}

# The processes and namespaces of a case.
cleanup_ns()
{
	local pid ns

	for pid in "${CLEAN_PIDS[@]}"; do
		if kill "$pid" 2>/dev/null; then
			wait "$pid" 2>/dev/null || true
		fi
	done
	for ns in "${NS_LIST[@]}"; do
		ip netns del "$ns" 2>/dev/null || true
	done
	CLEAN_PIDS=()
	NS_LIST=()
}

cleanup()
{
	local file

	cleanup_ns
	for file in "${CLEAN_FILES[@]}"; do
		rm -rf "$file"
	done
	CLEAN_FILES=()
}

# busywait SECONDS COMMAND…: until it succeeds; its last result.
busywait()
{
	local end=$((SECONDS + $1 * SLOW))

	shift
	until "$@"; do
		[[ $SECONDS -lt $end ]] || return 1
		sleep 0.1
	done
}

# The gateway of README and of the flows, in $lan, $gw and $wan:
#
#   phone 192.168.1.20 -- 192.168.1.1 (gw) 198.51.100.1 -- 198.51.100.254,
#   203.0.113.5 (proxy), 203.0.113.40 (peer)
# shellcheck disable=SC2154  # setup_ns sets lan, gw and wan
setup_gateway()
{
	setup_ns lan gw wan
	ip link add lan0 netns "$gw" type veth peer name eth0 netns "$lan"
	ip link add wan0 netns "$gw" type veth peer name eth0 netns "$wan"
	ip -n "$lan" addr add 192.168.1.20/24 dev eth0
	ip -n "$lan" link set eth0 up
	ip -n "$wan" addr add 198.51.100.254/24 dev eth0
	ip -n "$wan" addr add 203.0.113.5/32 dev eth0
	ip -n "$wan" addr add 203.0.113.40/32 dev eth0
	ip -n "$wan" link set eth0 up
	ip -n "$gw" addr add 192.168.1.1/24 dev lan0
	ip -n "$gw" addr add 198.51.100.1/24 dev wan0
	ip -n "$gw" link set lan0 up
	ip -n "$gw" link set wan0 up
	ip -n "$lan" route add default via 192.168.1.1
	ip -n "$gw" route add default via 198.51.100.254
	ip netns exec "$gw" sysctl -qw net.ipv4.ip_forward=1
}

# --- the module --------------------------------------------------------------

module_loaded() { grep -q "^$SIP_STRICT_KO " /proc/modules; }

# The file to load, if there is one: $SIP_STRICT_MODULE, or that of this tree.
module_file()
{
	local file=${SIP_STRICT_MODULE:-$(dirname "$0")/../$SIP_STRICT_KO.ko}

	[[ -f $file ]] && echo "$file"
}

# module_load [PARAMETER=VALUE…]
module_load()
{
	local file

	[[ -n ${1:-} ]] || set --

	if file=$(module_file); then
		modprobe -a nf_conntrack nf_nat 2>/dev/null || true
		insmod "$file" "$@"
	else
		modprobe "$SIP_STRICT_KO" "$@"
	fi
}

# A rule of a namespace that is just going holds the module for a moment.
module_unload()
{
	busywait 15 rmmod "$SIP_STRICT_KO" 2>/dev/null
}

# Loads the module, or says what is missing and ends with a skip.
require_module()
{
	[[ $(id -u) == 0 ]] || missing "root"
	module_loaded || module_load "" ||
		missing "the module: make it, or set SIP_STRICT_MODULE"
}
