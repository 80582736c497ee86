#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# sipp.sh - SIPp as a real caller and callee, with RTP, through the gateway.
#
#   phone 192.168.1.20 -- 192.168.1.1 (gw, masquerade) 198.51.100.1 -- proxy 203.0.113.5
#
# CALLS calls at RATE a second, each with two seconds of audio that the callee
# echoes. All must succeed, and each must be heard on both sides: the gateway
# keeps a set of the media ports to which, and from which, RTP went.
#
# environment: HELPER=sip-strict|sip|none, CALLS=20, RATE=5

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=selftests/lib.sh
. ./lib.sh

CALLS=${CALLS:-20}
RATE=${RATE:-5}
HELPER=${HELPER:-sip-strict}
WORK=

gateway_rules()
{
	local helper="" forward=""

	if [[ $HELPER != none ]]; then
		helper="ct helper sip { type \"$HELPER\" protocol udp; }
			chain helper {
				type filter hook prerouting priority 0;
				udp dport 5060 ct helper set \"sip\"
			}"
	fi
	if [[ $1 == inside-answers ]]; then
		forward="iifname wan0 ip daddr 192.168.1.20 udp dport 5060 ct status dnat accept"
	fi
	# shellcheck disable=SC2154  # setup_ns sets gw
	ip netns exec "$gw" nft -f - <<-RULES
	table ip selftest {
		$helper
		set heard_inside { type inet_service . inet_service; flags dynamic; }
		set heard_outside { type inet_service . inet_service; flags dynamic; }
		chain prerouting {
			type nat hook prerouting priority dstnat;
			iifname wan0 udp dport 5060 dnat to 192.168.1.20
		}
		chain postrouting {
			type nat hook postrouting priority srcnat;
			oifname wan0 masquerade
		}
		chain forward {
			type filter hook forward priority 0; policy drop;
			udp sport != 5060 udp dport != 5060 jump heard
			ct state established,related accept
			iifname lan0 accept
			$forward
		}
		chain heard {
			ct state established,related iifname wan0 \
				add @heard_inside { udp sport . udp dport }
			iifname lan0 add @heard_outside { udp dport . udp sport }
		}
		chain input {
			type filter hook input priority 0; policy accept;
			iifname wan0 ct state established,related accept
			iifname wan0 drop
		}
	}
	RULES
}

# How many calls' media the gateway has let through to a side.
heard()
{
	ip netns exec "$gw" nft list set ip selftest "heard_$1" | grep -o '[0-9]* \. [0-9]*' | wc -l
}

# sipp_run HOST ARGUMENT…: in $WORK, where tone.pcap is.
sipp_run()
{
	local host=$1

	shift
	echo "# $host\$ sipp $*"
	(cd "$WORK" && exec ip netns exec "${!host}" sipp "$@" -nostdin -timeout 60 \
		-timeout_error -trace_err -error_file "$WORK/$host.err" >"$WORK/$host.log" 2>&1)
}

# shellcheck disable=SC2317  # called by busywait
sip_listens()
{
	ip netns exec "${!1}" ss -Hlun "sport = :5060" | grep -q .
}

# A second and a half of silence in PCMU, 20 ms a packet, as a capture file.
write_tone()
{
	python3 - "$1" <<-'PYTHON'
	import struct, sys
	with open(sys.argv[1], "wb") as out:
	    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
	    for n in range(75):
	        rtp = struct.pack("!BBHII", 0x80, 0, n, n * 160, 0x5150) + b"\xff" * 160
	        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(rtp), 0) + rtp
	        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), n, 0, 64, 17, 0,
	                         bytes(4), bytes(4)) + udp
	        frame = bytes(12) + b"\x08\x00" + ip
	        out.write(struct.pack("<IIII", n // 50, n % 50 * 20000, len(frame), len(frame)))
	        out.write(frame)
	PYTHON
}

stat_value()
{
	ip netns exec "$gw" sh -c "cat /proc/net/stat/nf_conntrack_sip_strict" 2>/dev/null |
		awk -v name="$1" '$1 == name { print $2 }'
}

# call_through CALLER CALLEE, with the address that the caller calls
call_through()
{
	local caller=$1 caller_ip=$2 callee=$3 callee_ip=$4 target=$5 rc=0 uas inside outside

	sipp_run "$callee" -sf "$PWD/sipp/uas.xml" -i "$callee_ip" -p 5060 -mp 31000 \
		-rtp_echo -m "$CALLS" &
	uas=$!
	CLEAN_PIDS+=("$uas")
	if ! busywait 10 sip_listens "$callee"; then
		ktap_fail "the callee does not listen: $(tail -3 "$WORK/$callee.log")"
		return
	fi
	sipp_run "$caller" -sf "$PWD/sipp/uac.xml" -i "$caller_ip" -p 5060 -m "$CALLS" \
		-r "$RATE" "$target" || rc=$?
	if [[ $rc != 0 ]]; then
		kill "$uas" 2>/dev/null || true
	fi
	wait "$uas" || rc=$((rc + $?))
	inside=$(heard inside)
	outside=$(heard outside)
	if [[ $rc != 0 ]]; then
		ktap_fail "not all of $CALLS calls succeeded (SIPp's exit codes $rc): $(
			cat "$WORK"/*.err "$WORK/$caller.log" 2>/dev/null | grep -a . | head -12)"
	elif [[ $inside -lt $CALLS || $outside -lt $CALLS ]]; then
		ktap_fail "of $CALLS calls the inside heard $inside, the outside $outside"
	elif [[ $HELPER == sip-strict ]] && ! verdicts_agree; then
		ktap_fail "the module's verdicts say otherwise: both_heard $(stat_value both_heard)"
	elif [[ $HELPER == sip-strict ]] && ! busywait 5 nothing_left; then
		ktap_fail "media entries are left: $(media_entries | head -3)"
	else
		ktap_pass ""
	fi
}

verdicts_agree()
{
	[[ $(stat_value both_heard) -ge $CALLS ]]
}

media_entries()
{
	ip netns exec "$gw" conntrack -L -p udp 2>/dev/null | grep -v 'port=5060' || true
}

# shellcheck disable=SC2317  # called by busywait
nothing_left()
{
	[[ -z $(media_entries) ]]
}

checktool sipp "SIPp (apt-get install sip-tester)"
checktool nft "nft (apt-get install nftables)"
checktool conntrack "conntrack (apt-get install conntrack)"
case $HELPER in
sip-strict) require_module ;;
sip) modprobe nf_nat_sip ;;
esac
trap cleanup EXIT
WORK=$(mktemp -d)
CLEAN_FILES+=("$WORK")
write_tone "$WORK/tone.pcap"
ktap_begin

ktap_case "sipp-inside-calls"
setup_gateway
gateway_rules inside-calls
call_through lan 192.168.1.20 wan 203.0.113.5 203.0.113.5:5060
cleanup_ns

ktap_case "sipp-inside-answers"
setup_gateway
gateway_rules inside-answers
call_through wan 203.0.113.5 lan 192.168.1.20 198.51.100.1:5060
ktap_end
