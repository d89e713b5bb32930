# shellcheck shell=sh
# Job `debug`: a shell on every console, until one of them ends by `exit`, or an operator cancels.

job_debug() {
	screen_say "A shell on each console; 'exit' ends this job."
	work_is_quiet=1
	work_run shell /rouse/shells
	shell_is_over=$?
	work_is_quiet=
	[ "$shell_is_over" -eq 0 ] || return
	screen_say "$work_said"
	job_succeed
}
