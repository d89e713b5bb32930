# shellcheck shell=sh
# Work that lasts: a command in a process group of its own, while this shell reports and listens.
#
#	work_run wipe fos-disk wipe "$disk" "$mode" || return
#
# What the command says goes into the log. It tells how far it is by lines in the file
# $FOS_WORK/progress, written anew each time: percent=, bytes=, total=, note=.

work_dir=$run/work

# work_report STEP: tells menud and the person how far it is. Said once, not until it is answered:
# the next one is due soon. Fails when the job is over; then outcome is set.
work_report() {
	work_percent=$(number_or 0 "$(answer_get percent "$work_dir/progress")")
	job_bytes=$(number_or "$job_bytes" "$(answer_get bytes "$work_dir/progress")")
	work_note=$(answer_get note "$work_dir/progress")
	# a shell on the console is not to be written over
	[ -n "$work_is_quiet" ] || screen_progress "$work_percent" "$1$work_unheard${work_note:+: $work_note}"
	log_send
	client_try progress token "$token" step "$1" percent "$work_percent" bytes "$job_bytes" \
		total "$(answer_get total "$work_dir/progress")" text "$work_note" || {
		work_unheard=' (the server is away; this goes on)'
		return 0
	}
	work_unheard=
	case $(answer_get answer) in
	cancel) job_cancelled ;;
	refused) job_gone ;;
	*) return 0 ;;
	esac
	return 1
}

# work_start COMMAND...
work_start() {
	rm -rf "$work_dir"
	mkdir "$work_dir"
	mkfifo "$work_dir/done"
	exec 4<>"$work_dir/done"
	# shellcheck disable=SC2016  # for the inner shell
	FOS_WORK=$work_dir setsid sh -c '"$@"; echo $? >"$FOS_WORK/status"; echo end >"$FOS_WORK/done"' \
		work "$@" </dev/null >>"$run/log" 2>&1 4>&- &
	work_pid=$!
}

work_stop() {
	kill -TERM "-$work_pid" 2>/dev/null
	# What does not listen is given two seconds.
	# shellcheck disable=SC3045  # busybox's read knows -t
	read -t 2 -r _ <&4
	kill -KILL "-$work_pid" 2>/dev/null
	wait "$work_pid" 2>/dev/null
}

# work_run STEP COMMAND...: fails when the job is over; otherwise the command's exit status is in
# $work_status, and what it said last in $work_said.
work_run() {
	work_step=$1
	shift
	work_start "$@"
	work_is_over=
	work_report "$work_step" || work_is_over=1
	# shellcheck disable=SC3045  # busybox's read knows -t
	until [ -n "$work_is_over" ] || read -t "$report_seconds" -r _ <&4; do
		work_report "$work_step" || work_is_over=1
		kill -0 "$work_pid" 2>/dev/null || break
	done
	[ -z "$work_is_over" ] || work_stop
	wait "$work_pid" 2>/dev/null
	exec 4>&-
	work_status=$(number_or 99 "$(cat "$work_dir/status" 2>/dev/null)")
	work_said=$(tail -n 1 "$run/log" | text_clean)
	[ -z "$work_is_over" ]
}
