#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# module.sh - loading, parameters, sysctls and removal of the module.
#
# What is wrong is refused with EINVAL and a line in the kernel's log, and
# nothing of it is applied. The module is loaded and removed many times here,
# also while calls are up; it is loaded again at the end.

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=selftests/lib.sh
. ./lib.sh

SYSCTL=/proc/sys/net/netfilter/nf_conntrack_sip_strict

# Loads with parameters: must fail, and the log must say why (a pattern).
refused_load()
{
	local pattern=$1 out

	shift
	ktap_case "refused: $*"
	if out=$(module_load "$@" 2>&1); then
		module_unload || true
		ktap_fail "it loaded"
	elif ! dmesg | sed -n "/$(sed 's/[][\\.*^$/]/\\&/g' <<<"$KTAP_MARK")/,\$p" |
		grep -q "nf_conntrack_sip_strict: .*$pattern"; then
		ktap_fail "the log has no line with '$pattern'; insmod said: $out"
	elif module_loaded; then
		ktap_fail "a part of it stayed loaded"
	else
		ktap_pass ""
	fi
}

# A write that must fail with EINVAL and leave the value alone, and be logged.
refused_sysctl()
{
	local name=$1 value=$2 before after error

	ktap_case "sysctl $name=$value is refused"
	before=$(cat "$SYSCTL/$name")
	if error=$(printf '%s' "$value" 2>&1 >"$SYSCTL/$name"); then
		ktap_fail "it was taken: $(cat "$SYSCTL/$name")"
		printf '%s' "$before" >"$SYSCTL/$name"
		return
	fi
	after=$(cat "$SYSCTL/$name")
	if [[ $error != *"Invalid argument"* ]]; then
		ktap_fail "the error is not EINVAL: $error"
	elif [[ $after != "$before" ]]; then
		ktap_fail "half applied: it was '$before' and is '$after'"
	elif ! dmesg | tail -20 | grep -q "nf_conntrack_sip_strict: .*$name"; then
		ktap_fail "no line in the log names $name"
	else
		ktap_pass ""
	fi
}

taken_sysctl()
{
	local name=$1 value=$2 want=${3:-$2} before after

	ktap_case "sysctl $name=$value is taken"
	before=$(cat "$SYSCTL/$name")
	if ! printf '%s\n' "$value" 2>/dev/null >"$SYSCTL/$name"; then
		ktap_fail "it was refused"
		return
	fi
	after=$(cat "$SYSCTL/$name")
	printf '%s\n' "$before" >"$SYSCTL/$name"
	if [[ $after == "$want" && $(cat "$SYSCTL/$name") == "$before" ]]; then
		ktap_pass ""
	else
		ktap_fail "it reads back as '$after', and '$(cat "$SYSCTL/$name")' for '$before'"
	fi
}

default_of()
{
	ktap_case "default of $1 is '$2'"
	if [[ $(cat "$SYSCTL/$1") == "$2" ]]; then
		ktap_pass ""
	else
		ktap_fail "it is '$(cat "$SYSCTL/$1")'"
	fi
}

check_parameters()
{
	refused_load "helper_name" helper_name=
	refused_load "helper_name" helper_name=abcdefghijklmnop
	refused_load "helper_name" helper_name=sip-observe
	refused_load "ports" ports=0

	ktap_case "a name of 15 characters is taken"
	if module_load helper_name=abcdefghijklmno ports=5060,5080; then
		module_unload
		ktap_pass ""
	else
		ktap_fail "it was refused"
	fi

	ktap_case "an unknown parameter is named in the log"
	if module_load nosuch=1 && dmesg | tail -20 | grep -q "nosuch"; then
		ktap_pass ""
	else
		ktap_fail "the log does not name it"
	fi
	module_loaded && module_unload

	ktap_case "helper_name=sip beside the in-tree helper is refused"
	modprobe nf_conntrack_sip
	if module_load helper_name=sip 2>/dev/null; then
		module_unload
		ktap_fail "it loaded"
	elif ! dmesg | tail -20 | grep -q "nf_conntrack_sip_strict: .*nf_conntrack_sip"; then
		ktap_fail "the log does not say who holds the name"
	else
		ktap_pass ""
	fi

	ktap_case "sip-strict beside the in-tree helper works"
	if module_load ""; then
		module_unload
		ktap_pass ""
	else
		ktap_fail "it was refused"
	fi
	rmmod nf_nat_sip 2>/dev/null || true
	rmmod nf_conntrack_sip

	ktap_case "helper_name=sip stands in for the in-tree helper"
	if ! module_load helper_name=sip; then
		ktap_fail "it was refused"
		return
	fi
	setup_ns gw
	# shellcheck disable=SC2154  # setup_ns sets gw
	if ! ip netns exec "$gw" nft 'table ip t { ct helper h { type "sip" protocol udp; }; }'; then
		ktap_fail "no rule can name it"
	elif grep -q '^nf_conntrack_sip ' /proc/modules; then
		ktap_fail "the rule loaded the in-tree helper"
	elif rmmod nf_conntrack_sip_strict 2>/dev/null; then
		ktap_fail "removed while a rule named it"
	else
		ktap_pass ""
	fi
	cleanup_ns
	calls_by_rules_for_sip
	ktap_case "removal once the rule is gone"
	if module_unload; then
		ktap_pass ""
	else
		ktap_fail "rmmod failed for 15 s"
	fi
}

# The rules of a gateway that has had the in-tree helper, in nftables and iptables.
calls_by_rules_for_sip()
{
	local out

	ktap_case "helper_name=sip: calls by rule sets that name the in-tree helper"
	if ! out=$(HELPER=stand-in ./run_flows.py outbound-basic inbound-registered \
			two-calls-one-flow 2>&1); then
		ktap_fail "$out"
	elif grep -q '^nf_conntrack_sip ' /proc/modules; then
		ktap_fail "the in-tree helper has come"
	else
		ktap_pass ""
	fi
}

check_load()
{
	ktap_case "double load"
	if module_load "" 2>/dev/null; then
		ktap_fail "it loaded twice"
	elif module_loaded; then
		ktap_pass ""
	else
		ktap_fail "the first one is gone"
	fi
}

check_sysctls()
{
	local name value bits=0

	while read -r name value; do
		default_of "$name" "$value"
	done <<-DEFAULTS
		mode 1
		auto_assign 0
		media_peer 1
		publish_expect 256
		media_host 0
		signalling_peer 1
		media_port_keep 1
		media_port_min 16384
		media_port_max 32767
		dialog_max 16384
		host_max 8192
		dialog_timeout 43200
		ring_timeout 300
		expires_max 86400
		tcp_hold_max 65536
		tcp_hold_time 5
		dead_call_timeout 0
		drop_malformed 0
		external_addr4
		external_addr6
	DEFAULTS
	while read -r name value; do
		refused_sysctl "$name" "$value"
		bits=$((bits + 1))
		# The log is rate-limited: ten lines in five seconds.
		[[ $((bits % 8)) != 0 ]] || sleep 5
	done <<-BAD
		mode 3
		mode -1
		mode 1x
		mode strict
		auto_assign 2
		media_peer 3
		media_port_min 1023
		media_port_min 40000
		media_port_max 65536
		media_port_max 10000
		dialog_timeout 0
		ring_timeout -5
		publish_expect 99999999999
		external_addr4 198.51.100
		external_addr4 198.51.100.256
		external_addr4 198.51.100.1/24
		external_addr4 198.51.100.1,198.51.100.2
		external_addr4 224.0.0.1
		external_addr4 2001:db8::1
		external_addr6 198.51.100.1
		external_addr6 2001:db8::1::2
	BAD
	while read -r name value want; do
		taken_sysctl "$name" "$value" "$want"
	done <<-GOOD
		mode 0
		mode 2
		auto_assign 1
		media_peer 0
		media_peer 2
		publish_expect 0
		media_port_min 1024
		media_port_max 65535
		host_max 0
		dialog_timeout 1
		external_addr4 192.0.2.99
		external_addr6 2001:DB8:0:0:0:0:0:1 2001:db8::1
	GOOD
}

# As a user who is not root, in a namespace of that user's own where one is asked for.
as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2>/dev/null
}

check_owners()
{
	local got

	ktap_case "who is not root reads settings, and sets none"
	got=$(as_nobody cat "$SYSCTL/mode") || true
	if as_nobody sh -c "echo 0 >$SYSCTL/mode"; then
		ktap_fail "mode was set"
	elif [[ $got != 1 || $(cat "$SYSCTL/mode") != 1 ]]; then
		ktap_fail "mode reads '$got', and is $(cat "$SYSCTL/mode")"
	elif as_nobody cat /proc/net/nf_conntrack_sip_strict >/dev/null; then
		ktap_fail "the calls can be read"
	else
		ktap_pass ""
	fi
	ktap_case "the owner of a namespace sets its settings, and no others"
	got=$(as_nobody unshare --user --map-root-user --net \
		sh -c "echo 2 >$SYSCTL/mode; cat $SYSCTL/mode /proc/net/nf_conntrack_sip_strict") || true
	if [[ $got != 2* || $(cat "$SYSCTL/mode") != 1 ]]; then
		ktap_fail "there it reads '$got', here $(cat "$SYSCTL/mode")"
	else
		ktap_pass ""
	fi
}

# Calls up in a namespace, then rmmod; run by the flow that says what must hold.
check_removal()
{
	local flow

	for flow in reload-module auto-assign-alone; do
		ktap_case "$flow, then removal"
		if ! out=$(./run_flows.py "$flow" 2>&1); then
			ktap_fail "$out"
		elif ! module_unload; then
			ktap_fail "rmmod failed for 15 s"
		else
			ktap_pass ""
		fi
		module_loaded || module_load ""
	done
	ktap_case "rmmod, insmod, ten times"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		module_unload && module_load ""
	done
	ktap_pass ""
}

checktool nft "nft (apt-get install nftables)"
require_module
trap cleanup EXIT
ktap_begin
ktap_case "the module goes"
if ! module_unload; then
	ktap_fail "rmmod failed for 15 s"
	ktap_end
fi
ktap_pass ""
check_parameters
module_load ""
check_load
check_sysctls
check_owners
check_removal
ktap_end
