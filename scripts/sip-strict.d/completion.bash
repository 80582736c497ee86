# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of sip-strict for bash.

_sip_strict()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]:-} words=

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'status calls trace log metrics explain --help' -- "$cur")
		return
	fi
	case $prev in
	--lan | --wan | --html | --output | -o)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames
		return
		;;
	--root)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		compopt -o filenames
		return
		;;
	--call-id | --address | --inside | --outside | --outside6 | --count | -n | --seconds) return ;;
	esac
	case $verb in
	status) words='--json --root --help' ;;
	calls) words='--json --root --call-id --address --watch --help' ;;
	trace | log) words='--json --root --call-id --address --count --seconds --all-namespaces --help' ;;
	metrics) words='--json --root --output --help' ;;
	explain)
		words='--json --lan --wan --html --call-id --inside --outside --outside6 --media-host --brief --help'
		if [[ $cur != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames
			return
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _sip_strict sip-strict
