# shellcheck shell=sh
# The log: what the screen said and what programs said, in $run/log. menud gets it piece by piece.

# log_begin: an attempt's log; the first one keeps what was said before the check-in.
log_begin() {
	[ -z "$log_sent" ] || : >"$run/log"
	log_sent=0 log_full=
}

log_add() {
	printf '%s\n' "$1" >>"$run/log"
}

# log_piece POSITION: the next 3,000 bytes of the log as printable ASCII, and an x, so that the
# shell keeps the line breaks at the end. A byte stays a byte: positions are counted in them.
log_piece() {
	tail -c "+$(($1 + 1))" "$run/log" | head -c 3000 | tr '\000-\010\013-\037\177-\377' '?'
	echo x
}

# log_send: what menud does not have yet, as far as it takes it now; the rest waits for the next
# call. It has an answer file of its own: callers are reading theirs.
log_send() {
	[ -s "$run/log" ] && [ -n "$log_sent" ] && [ -z "$log_full" ] || return 0
	mkdir -p "$run/log.d"
	while :; do
		piece=$(log_piece "$log_sent")
		piece=${piece%x}
		[ -n "$piece" ] || return 0
		(run=$run/log.d && client_try log token "$token" position "$log_sent" text "$piece") || return 0
		case $(answer_get answer "$run/log.d/answer") in
		ok) log_sent=$((log_sent + ${#piece})) ;;
		*)
			log_full=1
			return 0
			;;
		esac
	done
}
