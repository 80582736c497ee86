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
# Over UDP; over TCP in one connection for all calls (t1) and in one for each
# (tn), on links that lose 5 %, reorder 25 % and double 5 % of the packets, with
# the smallest MSS, and with and without what joins segments (TSO, GSO, GRO); and
# through Kamailio as the proxy, with the other SIPp behind it.
#
# environment: HELPER=sip-strict|sip|none, CALLS=20, RATE=5 (less on a slow
# machine, KSFT_MACHINE_SLOW=N); SIP_STRICT_LONG=1: each over TCP both ways and
# by itself, with 200 calls

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=selftests/lib.sh
. ./lib.sh

LONG=${SIP_STRICT_LONG:-0}
HELPER=${HELPER:-sip-strict}
WORK=
KAMAILIO=

# gateway_rules inside-calls|inside-answers udp|tcp
gateway_rules()
{
	local helper="" forward="" sip="$2 dport 5060"

	if [[ $HELPER != none ]]; then
		helper="ct helper sip { type \"$HELPER\" protocol $2; }
			chain helper {
				type filter hook prerouting priority 0;
				$sip ct helper set \"sip\"
			}"
	fi
	if [[ $1 == inside-answers ]]; then
		forward="iifname wan0 ip daddr 192.168.1.20 $sip ct status dnat accept"
	fi
	# shellcheck disable=SC2154  # setup_ns sets gw
	ip netns exec "$gw" nft -f - <<-RULES
	table ip selftest {
		$helper
		set heard_inside { type inet_service . inet_service; flags dynamic; }
		set heard_outside { type inet_service . inet_service; flags dynamic; }
		chain prerouting {
			type nat hook prerouting priority dstnat;
			iifname wan0 $sip dnat to 192.168.1.20
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
	(cd "$WORK" && exec ip netns exec "${!host}" sipp "$@" -nostdin -max_socket 900 -timeout "$TIMEOUT" \
		-timeout_error -trace_err -error_file "$WORK/$host.err" >"$WORK/$host.log" 2>&1)
}

# shellcheck disable=SC2317  # called by busywait
sip_listens()
{
	ip netns exec "${!1}" ss -Hln"$2" "src $3:5060" | grep -q .
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

counters()
{
	ip netns exec "$gw" cat /proc/net/stat/nf_conntrack_sip_strict
}

stat_value()
{
	counters | awk -v name="$1" '$1 == name { print $2 }'
}

# call_through TRANSPORT CALLER CALLEE, with the address that the caller calls
call_through()
{
	local transport=$1 caller=$2 caller_ip=$3 callee=$4 callee_ip=$5 target=$6
	local rc=0 uas inside outside

	sipp_run "$callee" -sf "$WORK/uas.xml" -t "$transport" -i "$callee_ip" -p 5060 \
		-mp 31000 -rtp_echo -m "$CALLS" &
	uas=$!
	CLEAN_PIDS+=("$uas")
	if ! busywait 10 sip_listens "$callee" "${transport:0:1}" "$callee_ip"; then
		ktap_fail "the callee does not listen: $(tail -3 "$WORK/$callee.log")"
		return
	fi
	sipp_run "$caller" -sf "$WORK/uac.xml" -t "$transport" -i "$caller_ip" -p 5060 \
		-m "$CALLS" -r "$RATE" "$target" || rc=$?
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
		ktap_fail "the module's verdicts say otherwise; its counters: $(
			counters | grep -v " 0$")"
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

# on_links CONDITION: what the two links of the gateway do to packets
on_links()
{
	local host

	for host in lan wan; do
		case $1 in
		bad) ip netns exec "${!host}" tc qdisc add dev eth0 root netem \
			delay 5ms 2ms loss 5% reorder 25% duplicate 5% limit 10000 ;;
		mss=*) take_segments "$host" "${1#mss=}" ;;
		plain) ip netns exec "${!host}" ethtool -K eth0 tso off gso off gro off >/dev/null ;;
		esac
	done
	# What is lost three times in a row comes after 7 s.
	[[ $1 != bad ]] || hold_time 30
	# Of the gateway's own devices, so that it gets what nobody has joined.
	if [[ $1 == plain ]]; then
		for host in lan0 wan0; do
			ip netns exec "$gw" ethtool -K "$host" tso off gso off gro off >/dev/null
		done
	fi
}

# hold_time SECONDS: how long the module waits for the rest of a message
hold_time()
{
	[[ $HELPER != sip-strict ]] ||
		ip netns exec "$gw" sysctl -qw "net.netfilter.nf_conntrack_sip_strict.tcp_hold_time=$1"
}

# take_segments HOST BYTES: the MSS that it announces
take_segments()
{
	case $1 in
	lan) ip -n "$lan" route replace default via 192.168.1.1 advmss "$2" ;;
	wan) ip -n "$wan" route replace 198.51.100.0/24 dev eth0 advmss "$2" ;;
	esac
}

# start_kamailio ADDRESS: the proxy, which sends all requests there
start_kamailio()
{
	local home=$WORK/kamailio

	mkdir -p "$home"
	cat >"$home/kamailio.cfg" <<-CONFIG
	#!KAMAILIO
	debug=0
	log_stderror=yes
	children=2
	tcp_children=4
	tcp_source_ipv4=203.0.113.5
	auto_aliases=no
	dns=no
	rev_dns=no
	listen=tcp:203.0.113.5:5060
	loadmodule "pv.so"
	loadmodule "sl.so"
	loadmodule "tm.so"
	request_route {
		\$du = "sip:$1:5060;transport=tcp";
		t_relay();
	}
	CONFIG
	ip netns exec "$wan" kamailio -f "$home/kamailio.cfg" -DD -E -m 32 -M 8 -Y "$home" \
		-w "$home" >"$home/log" 2>&1 &
	KAMAILIO=$!
	CLEAN_PIDS+=("$KAMAILIO")
	busywait 20 sip_listens wan t 203.0.113.5 ||
		ktap_fail "Kamailio does not listen: $(tail -n 3 "$home/log")"
}

stop_kamailio()
{
	kill "$KAMAILIO" 2>/dev/null || true
	wait "$KAMAILIO" 2>/dev/null || true
	KAMAILIO=
}

# sipp_case WHO TRANSPORT CONDITION…
sipp_case()
{
	local who=$1 transport=$2 condition outside=203.0.113.5

	shift 2
	ktap_case "sipp-$who${transport:+ $transport}${*:+ $*}"
	setup_gateway
	for condition in "$@"; do
		on_links "$condition"
	done
	if [[ $* == *kamailio* ]]; then
		outside=203.0.113.40
		if [[ $who == inside-calls ]]; then
			start_kamailio $outside
		else
			start_kamailio 198.51.100.1
		fi
	fi
	case $transport in
	t*) gateway_rules "$who" tcp ;;
	*) gateway_rules "$who" udp ;;
	esac
	if [[ $who == inside-calls ]]; then
		call_through "${transport:-u1}" lan 192.168.1.20 wan $outside 203.0.113.5:5060
	elif [[ $outside == 203.0.113.5 ]]; then
		call_through "${transport:-u1}" wan $outside lan 192.168.1.20 198.51.100.1:5060
	else
		call_through "${transport:-u1}" wan $outside lan 192.168.1.20 203.0.113.5:5060
	fi
	[[ -z $KAMAILIO ]] || stop_kamailio
	cleanup_ns
}

checktool sipp "SIPp (apt-get install sip-tester)"
checktool nft "nft (apt-get install nftables)"
checktool conntrack "conntrack (apt-get install conntrack)"
checktool kamailio "Kamailio (apt-get install kamailio)"
checktool ethtool "ethtool (apt-get install ethtool)"
checktool tc "tc (apt-get install iproute2)"
case $HELPER in
sip-strict) require_module ;;
sip) modprobe nf_nat_sip ;;
esac
trap cleanup EXIT
WORK=$(mktemp -d)
CLEAN_FILES+=("$WORK")
write_tone "$WORK/tone.pcap"
# SIPp takes an INVITE that comes again behind its 200 for another message, and
# hangs up while its audio is still on the way.
for scenario in uac uas; do
	sed "s/retrans=\"500\"/retrans=\"$((500 * SLOW))\"/
		s/milliseconds=\"2000\"/milliseconds=\"$((2000 * SLOW))\"/" \
		"sipp/$scenario.xml" >"$WORK/$scenario.xml"
done
ktap_begin

CALLS=${CALLS:-20} RATE=${RATE:-$((SLOW < 5 ? 5 / SLOW : 1))} TIMEOUT=$((60 * SLOW))
sipp_case inside-calls ""
sipp_case inside-answers ""
if [[ $LONG == 1 ]]; then
	CALLS=200 RATE=20 TIMEOUT=$((180 * SLOW))
	for who in inside-calls inside-answers; do
		for transport in t1 tn; do
			for conditions in "" bad mss=88 mss=536 mss=1460 plain "kamailio bad"; do
				# shellcheck disable=SC2086 # none, or some words
				sipp_case "$who" "$transport" $conditions
			done
		done
	done
else
	sipp_case inside-calls t1 bad
	sipp_case inside-answers tn bad mss=88
	sipp_case inside-calls tn plain mss=536
	sipp_case inside-calls t1 kamailio bad
fi
ktap_end
