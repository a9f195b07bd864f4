# SPDX-License-Identifier: GPL-2.0-only
# bash completion for ovid(1)

_ovid_names() {
	local dir=${OVID_RUNTIME_DIR:-}
	if [ -z "$dir" ]; then
		if [ "$EUID" = 0 ]; then dir=/run/ovid
		elif [ -n "$XDG_RUNTIME_DIR" ]; then dir=$XDG_RUNTIME_DIR/ovid
		else dir=/tmp/ovid-$EUID; fi
	fi
	local sock
	for sock in "$dir"/*.sock; do
		[ -S "$sock" ] || continue
		sock=${sock##*/}
		printf '%s\n' "${sock%.sock}"
	done
}

_ovid() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
	local verbs="run info list console pause resume reset nmi pulse kill stat wait help"
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		COMPREPLY=($(compgen -W "$verbs --help --version" -- "$cur"))
		return
	fi
	case $verb in
	run)
		# ":" parts words: --serial file:PATH is four
		if [ "$cur" = : ]; then
			cur= prev=--device
		elif [ "$prev" = : ]; then
			prev=--device
		fi
		case $prev in
		--kernel|--initrd|--device)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		--serial)
			compopt -o nospace 2>/dev/null
			COMPREPLY=($(compgen -W "stdio none file: unix:" -- "$cur")) ;;
		--user)
			COMPREPLY=($(compgen -u -- "$cur")) ;;
		--append|--memory|--vps|--name|--hv) ;;
		*)
			COMPREPLY=($(compgen -W "--kernel --initrd --append --memory --vps --serial
				--name --detach --no-reboot --debug-exit --test-device --hv --device --user
				--no-sandbox --help" -- "$cur")) ;;
		esac ;;
	help)
		COMPREPLY=($(compgen -W "$verbs" -- "$cur")) ;;
	*)
		local options="--json --help" names
		[ "$verb" != console ] || options=--help
		if [ "$verb" = pulse ]; then
			options="--count --device --json --help"
			case $prev in
			--count) return ;;
			--device)
				compopt -o filenames 2>/dev/null
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return ;;
			esac
		fi
		[ "$verb" = list ] || names=$(_ovid_names)
		case $cur in
		-*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
		*) COMPREPLY=($(compgen -W "${names:-}" -- "$cur")) ;;
		esac ;;
	esac
}

complete -F _ovid ovid
