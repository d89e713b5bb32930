# shellcheck shell=sh
# A site's own programs: every executable in /rouse/hooks/STAGE.d, in the order of their names.

# hooks_run STAGE [OUTCOME]: start, before_job, deployed or after_job. Each gets the stage, the job's
# number and kind, and its outcome as arguments. A hook that fails is shown, and the rest goes on.
hooks_run() {
	for hook in "/rouse/hooks/$1.d"/*; do
		[ -x "$hook" ] || continue
		"$hook" "$1" "$job" "$(answer_get kind "$run/job")" "${2:-$outcome}" </dev/null >"$run/hook.log" 2>&1 ||
			screen_fail "The hook $hook failed: $(tail -n 1 "$run/hook.log" | text_clean)" \
				"Mend it in the overlay that FOS was built with."
	done
}
