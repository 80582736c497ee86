#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run_all.sh - all selftests, one after the other, as one TAP stream.
#
# usage: run_all.sh [PROGRAM…]      default: TEST_PROGS of the Makefile
#
# Loads the module ($SIP_STRICT_MODULE, else that of this tree, else by
# modprobe), runs the programs, and unloads it. Each case's kernel log and
# taint are looked at, and the guilty case is named. Exit code: 0, 1, or 4
# where all was skipped. SIP_STRICT_NO_SKIP=1: a skip is a failure.

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=selftests/lib.sh
. ./lib.sh

# Runs a program and numbers its cases on from ours; its own plan is left out.
run_program()
{
	local program=$1 line rc=0 failed_before=$KTAP_FAILED cases=0 fifo pid

	fifo=$(mktemp -u)
	mkfifo "$fifo"
	CLEAN_FILES+=("$fifo")
	"./$program" >"$fifo" 2>&1 &
	pid=$!
	CLEAN_PIDS+=("$pid")
	while IFS= read -r line; do
		case $line in
		"TAP version "* | [0-9]..*) ;;
		ok\ * | "not ok "*)
			cases=$((cases + 1))
			count_line "$program" "$line"
			;;
		*) echo "$line" ;;
		esac
	done <"$fifo"
	wait "$pid" || rc=$?
	KTAP_NAME=$program
	if [[ $rc == 4 || $cases == 0 ]] && [[ $rc != 1 ]]; then
		ktap_skip "nothing ran"
	elif [[ $rc != 0 && $KTAP_FAILED == "$failed_before" ]]; then
		ktap_fail "ended with $rc"
	fi
}

count_line()
{
	local program=$1 line=$2 name verdict

	name=$(sed -E 's/^(not )?ok [0-9]+ //' <<<"$line")
	if [[ $line == "not ok "* ]]; then
		KTAP_FAILED=$((KTAP_FAILED + 1))
		verdict="not ok"
	elif [[ $line == *"# SKIP"* ]]; then
		KTAP_SKIPPED=$((KTAP_SKIPPED + 1))
		verdict=ok
	else
		KTAP_PASSED=$((KTAP_PASSED + 1))
		verdict=ok
	fi
	echo "$verdict $((KTAP_PASSED + KTAP_FAILED + KTAP_SKIPPED)) ${program%.*}: $name"
}

trap cleanup EXIT
[[ $(id -u) == 0 ]] || missing "root"
PROGRAMS=("$@")
if [[ ${#PROGRAMS[@]} == 0 ]]; then
	read -r -a PROGRAMS < <(sed -n 's/^TEST_PROGS := //p' Makefile)
fi

ktap_begin
KTAP_NAME="load the module"
ktap_case "$KTAP_NAME"
if module_loaded || load_error=$(module_load "" 2>&1); then
	ktap_pass ""
else
	ktap_fail "$load_error; set SIP_STRICT_MODULE, or make the module"
	ktap_end
fi

for program in "${PROGRAMS[@]}"; do
	run_program "$program"
done

ktap_case "unload the module"
if ! module_loaded || module_unload; then
	ktap_pass ""
else
	ktap_fail "rmmod: $(rmmod $SIP_STRICT_KO 2>&1 || true)"
fi
ktap_end
