# shellcheck shell=sh
# The time. A machine whose battery is empty begins in some other year; what it writes on disks then, and
# any certificate that a script looks at, would be of that year.

# clock_set: the kernel's clock becomes the server's (the Date of its last answer, RFC 9110 section 6.6.1),
# if they differ by more than its seconds and the way can explain. The clock of the board, which may
# be kept in local time, stays as it is.
clock_set() {
	server_clock=$(answer_get date "$run/report")
	is_number "$server_clock" || return 0
	clock_off=$(($(date +%s) - server_clock)) side=ahead
	[ "$clock_off" -ge 0 ] || side=behind clock_off=$((-clock_off))
	[ "$clock_off" -gt 2 ] || return 0
	was="$clock_off s $side"
	[ "$clock_off" -lt 172800 ] || was="$((clock_off / 86400)) days $side"
	if date -s "@$server_clock" >/dev/null 2>&1; then
		screen_say "The clock was $was; it is $(date -u '+%Y-%m-%d %H:%M:%S') UTC now, as the server says."
	else
		screen_say "The clock is $was of the server's, and could not be set."
	fi
}
