#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run test programs and make one TAP 13 stream of theirs.
#
#   check.sh "PROGRAM ARGUMENT…" …
#
# RUN=PROGRAM: what runs them, an emulator.
#
# A program that crashes, runs too long, or prints another number of results
# than its plan says, is one more failed test. The exit code comes from the
# counts.
set -euo pipefail

passed=0
failed=0
limit=${UNIT_TIMEOUT:-300}

result() {
	local verdict=$1 text=$2

	if [ "$verdict" = ok ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	printf '%s %d - %s\n' "$verdict" $((passed + failed)) "$text"
}

run_program() {
	local name=$1 line want="" got=0 bad=0 rc
	shift

	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			got=$((got + 1))
			[ "${line%% *}" = ok ] || bad=$((bad + 1))
			result "${line%% [0-9]*}" "$name: ${line#* - }"
			;;
		1..[0-9]*) want=${line#1..} ;;
		"" | "TAP version"*) ;;
		"rc="*) rc=${line#rc=} ;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <(
		code=0
		timeout "$limit" "$@" 2>&1 || code=$?
		printf '\nrc=%d\n' "$code"
	)

	if [ "$want" != "$got" ]; then
		result "not ok" "$name: $got results, its plan says ${want:-nothing}, exit code $rc"
	elif [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
		result "not ok" "$name: exit code $rc although all passed"
	fi
}

echo "TAP version 13"
for command; do
	read -ra words <<<"$command"
	run_program "$(basename "${words[0]}")" ${RUN:+"$RUN"} "${words[@]}"
done
echo "1..$((passed + failed))"
echo "# unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
