# shellcheck shell=sh
# A job, from menud's answer to its finish. A job's own file is jobs/KIND.sh with job_KIND(), which
# ends by one of the four functions job_succeed, job_fail, job_cancelled, job_gone: one result. What
# lasts runs by work_run (lib/work.sh), which reports and hears of a cancellation.

# job_load: the answer `run`, as variables. Only what is known is taken, and numbers are checked.
job_load() {
	job=$(answer_get job)
	attempt=$(answer_get attempt)
	kind=$(answer_get kind)
	mode=$(answer_get mode)
	host=$(answer_get host)
	after=$(answer_get after)
	report_seconds=$(number_or 5 "$(answer_get report_seconds)")
	[ "$report_seconds" -gt 0 ] || report_seconds=1
	cp "$run/answer" "$run/job"
	job_started=$(now)
	job_bytes=0
	outcome='' # the last job's is not this one's
}

# now: seconds since the start, which no change of the clock disturbs.
now() {
	cut -d. -f1 /proc/uptime
}

# job_succeed [TEXT]: TEXT is what is worth knowing of it.
job_succeed() {
	outcome=succeeded reason='' text=$(printf '%s' "${1:-}" | text_clean)
}

# job_fail REASON TEXT
job_fail() {
	outcome=failed reason=$1 text=$(printf '%s' "$2" | text_clean)
}

job_cancelled() {
	outcome=cancelled reason='' text=''
}

# job_gone: the job is no longer ours; there is nobody to finish it for.
job_gone() {
	outcome=gone reason=$(answer_get reason) text=$(answer_get message)
}

# job_check_answer: for calls whose answer is `ok` or `refused`. Fails when the job is over.
job_check_answer() {
	case $(answer_get answer) in
	ok) return 0 ;;
	refused) job_gone ;;
	*) job_fail client_error "menud answered '$(answer_get answer)', which this FOS does not know" ;;
	esac
	return 1
}

job_run() {
	outcome=failed reason=client_error text="the job ended without a result"
	case $kind in
	'' | *[!a-z]*) kind_file= ;;
	*) kind_file=${FOS_JOBS:-/rouse/jobs}/$kind.sh ;;
	esac
	if [ -r "$kind_file" ]; then
		. "$kind_file"
		"job_$kind"
	else
		job_fail unsupported "not supported by this client: a job of kind '$kind'"
	fi
}

# job_finish: tells menud how it ended, the person too, and init what comes next.
job_finish() {
	case $outcome in
	succeeded) screen_say "Job $job is done." ;;
	cancelled) screen_say "Job $job was cancelled by an operator." ;;
	gone) screen_fail "Job $job was taken from this machine ($reason): $text" \
		"Nothing to do here; rouse.why() tells more." ;;
	*)
		: >"$run/failed"
		screen_say "rouse: Job $job failed ($reason): $text"
		;;
	esac
	[ "$outcome" = gone ] || job_report_finish
	printf '%s' "$after" >"$run/after"
	case $after in
	next) screen_say "Next: another job, without a reboot." ;;
	*) screen_say "Next: ${after:-reboot}." ;;
	esac
}

job_report_finish() {
	log_send
	if ! client_call finish token "$token" outcome "$outcome" reason "$reason" text "$text" \
		bytes "$job_bytes" seconds "$(($(now) - job_started))"; then
		screen_fail "The server does not take our report: $client_error" \
			"The job's lease will run out, and the database will say lost_client."
		return
	fi
	# What to do about it: the operator reads the same sentence.
	hint=$(answer_get hint)
	[ "$outcome" != failed ] || screen_say "rouse: ${hint:-The operator sees the same in rouse.jobs.}"
	[ "$(answer_get state)" != queued ] || screen_say "rouse: It will be tried again: this machine gets it at its next boot."
	case $(answer_get after) in
	reboot | poweroff) after=$(answer_get after) ;;
	next)
		after=next
		ticket=$(answer_get ticket)
		;;
	esac
}
