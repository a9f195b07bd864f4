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

# what a verb has besides --json and --help
_ovid_options() {
	case $1 in
	pulse) echo --count --device ;;
	shutdown) echo --reboot --hibernate --force --message --timeout --wait ;;
	heartbeat) echo --watch ;;
	kvp) echo --pool ;;
	freeze) echo --check ;;
	copy) echo --overwrite --mkdir ;;
	timesync) echo --sample --auto ;;
	disk-attach) echo --disk ;;
	disk-resize) echo --shrink ;;
	disk-limit) echo --iops --bps ;;
	disk-insert) echo --force ;;
	disk-eject) echo --force ;;
	net-forward) echo --remove ;;
	ip) echo --wait ;;
	disk) echo --format --output-format --kind --parent --block-size --sector --repair --shrink --force --output --delete --unsafe --quiet ;;
	esac
}

# how many words that are no options there are between the verb and the cursor
_ovid_words() {
	local i n=0
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--pool|--disk|--format|-f|--output-format|-O|--kind|--parent|-b|--block-size|--sector|--output|-o|--iops|--bps) i=$((i + 1)) ;;
		-*) ;;
		*) n=$((n + 1)) ;;
		esac
	done
	echo $n
}

_ovid() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
	local verbs="run info list console pause resume reset nmi pulse kill stat wait shutdown heartbeat kvp freeze thaw copy timesync disk disk-attach disk-detach disk-resize disk-insert disk-eject disk-limit disk-list net-attach net-detach net-link net-move net-forward net-list ip help"
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
		--disk)
			compopt -o filenames -o nospace 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
		--dvd)
			compopt -o filenames -o nospace 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -W none -- "$cur") ;;
		--net)
			compopt -o nospace 2>/dev/null
			COMPREPLY=($(compgen -W "user bridge= tap= if if= fd= none" -- "$cur")) ;;
		--vsock)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
		--serial)
			compopt -o nospace 2>/dev/null
			COMPREPLY=($(compgen -W "stdio none file: unix:" -- "$cur")) ;;
		--user)
			COMPREPLY=($(compgen -u -- "$cur")) ;;
		--append|--memory|--vps|--name|--hv|--vmbus|--vsock-cid) ;;
		*)
			COMPREPLY=($(compgen -W "--kernel --initrd --append --memory --vps --serial
				--name --detach --no-reboot --debug-exit --test-device --hv --vmbus --vsock --vsock-cid --disk --dvd --net --boot-from-disk --device --user
				--no-sandbox --help" -- "$cur")) ;;
		esac ;;
	help)
		COMPREPLY=($(compgen -W "$verbs" -- "$cur")) ;;
	*)
		local options names
		options="$(_ovid_options "$verb") --json --help"
		[ "$verb" != console ] || options=--help
		case $verb$prev in
		pulse--count|shutdown--message|shutdown--timeout) return ;;
		pulse--device)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return ;;
		kvp--pool)
			COMPREPLY=($(compgen -W "external guest auto auto-external auto-internal" -- "$cur"))
			return ;;
		disk--format|disk-f|disk--output-format|disk-O)
			COMPREPLY=($(compgen -W "raw vhd vhdx" -- "$cur"))
			return ;;
		disk--kind)
			COMPREPLY=($(compgen -W "fixed dynamic" -- "$cur"))
			return ;;
		disk--sector)
			COMPREPLY=($(compgen -W "512 4096" -- "$cur"))
			return ;;
		disk--block-size|disk-limit--iops|disk-limit--bps) return ;;
		disk--parent|disk-b|disk--output|disk-o|disk-attach--disk)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return ;;
		timesync--auto)
			COMPREPLY=($(compgen -W "on off" -- "$cur"))
			return ;;
		esac
		if [ "${cur:0:1}" != - ]; then
			case $verb$(_ovid_words "$verb") in
			kvp0)
				COMPREPLY=($(compgen -W "get set delete list ip" -- "$cur"))
				return ;;
			disk0)
				COMPREPLY=($(compgen -W "create info check convert resize map merge rebase compact" -- "$cur"))
				return ;;
			disk-insert2|copy1|disk[12])
				compopt -o filenames 2>/dev/null
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return ;;
			net-attach1|net-move2)
				compopt -o nospace 2>/dev/null
				COMPREPLY=($(compgen -W "user bridge= tap= if if= fd= none" -- "$cur"))
				return ;;
			net-link2)
				COMPREPLY=($(compgen -W "up down" -- "$cur"))
				return ;;
			kvp[2-9]|copy[2-9]|disk[3-9]|disk-*[1-9]|net-*[1-9]|ip[1-9]) return ;;
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
