# shellcheck shell=sh
# What a person sees, on every console that the kernel uses (tty0, ttyS0). Nothing secret is
# written here: serial lines are logged elsewhere.

screen_open() {
	screen_consoles=
	for console in $(cat /sys/class/tty/console/active) tty0; do
		case " $screen_consoles " in *" /dev/$console "*) continue ;; esac
		(: >"/dev/$console") 2>/dev/null && screen_consoles="$screen_consoles /dev/$console"
	done
	export screen_consoles
	screen_is_partial=
}

screen_write() {
	for console in $screen_consoles; do
		# shellcheck disable=SC2059  # the format is ours, the text an argument
		printf "$@" >"$console" 2>/dev/null
	done
}

# screen_say TEXT: a line that stays, with the seconds since the kernel's start.
screen_say() {
	[ -z "$screen_is_partial" ] || screen_write '\r\n'
	screen_is_partial=
	read -r screen_seconds _ </proc/uptime
	screen_write '[%6s] %s\r\n' "$screen_seconds" "$1"
	log_add "[$screen_seconds] $1"
}

# screen_update TEXT: a line that the next update overwrites.
screen_update() {
	screen_write '\r%s\033[K' "$1"
	screen_is_partial=1
}

# screen_progress PERCENT TEXT: the same, with a bar.
screen_progress() {
	screen_bar=$(printf '%*s' "$(($1 / 5))" '' | tr ' ' '#')
	screen_update "$(printf '[%-20s] %3s %% %.50s' "$screen_bar" "$1" "$2")"
}

# screen_fail CAUSE REMEDY
screen_fail() {
	screen_say "rouse: $1"
	screen_say "rouse: $2"
}

# screen_ask QUESTION SECONDS: one line typed at any console, in $screen_reply; empty when nobody
# answers. Each console has a reader of its own, since nobody knows where the person sits.
screen_ask() {
	screen_reply=
	mkfifo "$run/reply"
	exec 5<>"$run/reply"
	screen_say "$1"
	readers=
	for console in $screen_consoles; do
		# /dev/tty0 means "the console in front"; its keys come from there too.
		(read -r line <"$console" && printf '%s\n' "$line" >&5) 2>/dev/null &
		readers="$readers $!"
	done
	# shellcheck disable=SC3045  # busybox's read knows -t
	read -t "$2" -r screen_reply <&5
	# shellcheck disable=SC2086  # a list of process numbers
	kill $readers 2>/dev/null
	exec 5>&-
	rm "$run/reply"
}
