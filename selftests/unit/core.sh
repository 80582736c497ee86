#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the core promises to whoever builds it, as TAP.
#
#   core.sh DIR
#
# It compiles without a warning with gcc and clang, needs nothing of the outside
# but four functions of the C library, asks only in its shim whether it is in the kernel, has no
# data that can be written, and no function with more than 1 kB of stack.
set -euo pipefail

dir=$1
# bcmp() is what clang makes of memcmp() that is only asked for equality.
allowed='memcpy|memcmp|memset|memmove|bcmp'
flags=(-std=gnu11 -O2 -Wall -Wextra -Wconversion -Wshadow -Wvla -Wframe-larger-than=1000
	-Werror -fno-stack-protector -fno-pie)
count=0
failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# result TEXT OUTPUT - what is printed is what is wrong
result() {
	count=$((count + 1))
	if [ -z "$2" ]; then
		printf 'ok %d - %s\n' "$count" "$1"
	else
		failed=$((failed + 1))
		printf 'not ok %d - %s\n' "$count" "$1"
		printf '# %s\n' "${2//$'\n'/$'\n# '}"
	fi
}

# compile COMPILER FLAG... - objects of all files into $tmp/COMPILER
compile() {
	local cc=$1 src
	shift

	mkdir -p "$tmp/$cc"
	for src in "$dir"/*.c; do
		"$cc" "${flags[@]}" "$@" -c "$src" -o "$tmp/$cc/$(basename "$src" .c).o" 2>&1 || true
	done
}

headers_alone() {
	local header

	for header in "$dir"/*.h; do
		gcc -std=gnu11 -Wall -Wextra -Wno-unused -Werror -fsyntax-only -x c \
			-include "$header" /dev/null 2>&1 || true
	done
}

# The undefined symbols that no object of the core defines.
foreign() {
	local objects=("$tmp/$1"/*.o)

	comm -23 <(nm -u "${objects[@]}" | awk 'NF == 2 { print $2 }' | sort -u) \
		<(nm --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }' | sort -u)
}

echo "TAP version 13"
result "gcc compiles it" "$(compile gcc -fstack-usage)"
result "clang compiles it" "$(compile clang -Wno-initializer-overrides)"
result "each header compiles alone" "$(headers_alone)"
for cc in gcc clang; do
	result "$cc: no other function than ${allowed//|/, }" "$(foreign "$cc" | grep -vxE "$allowed" || true)"
	result "$cc: nothing that can be written" \
		"$(nm "$tmp/$cc"/*.o | awk 'NF == 3 && $2 ~ /[bBdDC]/' || true)"
done
result "no function with more than 1000 bytes of stack" \
	"$(awk -F '\t' '$2 > 1000 || $3 == "dynamic"' "$tmp"/gcc/*.su)"
result "no include of the kernel or of a library outside of the shim" \
	"$(grep -nE '^#include <' "$dir"/*.[ch] | grep -v '/shim\.h:' || true)"
result "no question for the kernel outside of the shim" \
	"$(grep -nE '__KERNEL__|LINUX_VERSION' "$dir"/*.[ch] | grep -v '/shim\.h:' || true)"
echo "1..$count"
[ "$failed" -eq 0 ]
