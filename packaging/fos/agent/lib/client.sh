# shellcheck shell=sh
# Calls of menud: POST $url/fos/VERB. The answer lies in $run/answer, fos-http's report in
# $run/report.

# client_try VERB [NAME VALUE]...: says it once. Statuses are those of fos-http; empty values are
# left out. Fields go through a pipe: an argument could be read by any process.
client_try() {
	verb=$1
	shift
	while [ $# -gt 1 ]; do
		[ -z "$2" ] || printf '%s=%s\0' "$1" "$2"
		shift 2
	done | fos-http "$run/report" post "$url/fos/$verb" >"$run/answer"
}

# client_call VERB [NAME VALUE]...: says it until menud has answered, for as long as it takes.
# Fails only when menud does not take the words; $client_error then tells why.
client_call() {
	pause=1
	while :; do
		client_try "$@"
		client_status=$?
		client_error=$(answer_get error "$run/report")
		case $client_status:$(answer_get status "$run/report") in
		0:*) return 0 ;;
		3:4??) return 1 ;;
		1:*) return 1 ;;
		esac
		# 503 says when to come back; anything else is waited out, longer each time up to 5 s.
		pause=$(number_or "$pause" "$(answer_get retry_after "$run/report")")
		screen_update "The server is away ($client_error); trying again in $pause s."
		sleep "$pause"
		[ "$pause" -ge 5 ] && pause=5 || pause=$((pause + 1))
	done
}
