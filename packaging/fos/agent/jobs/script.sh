# shellcheck shell=sh
# Job `script`: a shell script of the operator's, fetched with its hash. What it says goes into the
# log; its exit status decides. Within it, `step URL SHA256 [ARGUMENT]...` fetches a further file,
# checks it and runs it (/rouse/step).

script_fetch() {
	script=$run/script
	if ! printf 'token=%s\0' "$token" |
		fos-http "$run/report" get "$url$(answer_get script_url "$run/job")" 0 >"$script"; then
		job_fail net_error "the script: $(answer_get error "$run/report")"
		return 1
	fi
	wanted=$(answer_get script_sha256 "$run/job")
	if [ "$(sha256sum <"$script" | cut -d' ' -f1)" != "$wanted" ]; then
		job_fail hash_mismatch "the script's SHA-256 is not $wanted"
		return 1
	fi
}

job_script() {
	script_fetch || return
	# The script knows the machine and the server; the token stays here.
	work_run script env "PATH=/rouse/tools:$PATH" "rouse_url=$url" "rouse_job=$job" "rouse_host=$host" \
		sh "$script" || return
	if [ "$work_status" -eq 0 ]; then
		job_succeed
	else
		job_fail script_failed "status $work_status: $work_said"
	fi
}
