# shellcheck shell=sh
# Job `wipe`: makes a disk's contents unreadable, or those of all fixed disks (`auto`). The work is
# done by fos-disk, which also reads back; this file chooses, counts and tells.

# wipe_disks: the names to wipe, one a line; $wanted says which.
wipe_disks() {
	case ${wanted:-auto} in
	auto) for name in $(disk_list); do
		disk_is_fixed "$name" && echo "$name"
	done ;;
	*) disk_choose "$wanted" 0 ;;
	esac
}

# wipe_countdown: time to pull the plug; a person in the room may know better.
wipe_countdown() {
	screen_say "All data on these disks will be lost: $1"
	left=$(number_or 5 "$(cmdline_get rouse_wipe_seconds)")
	while [ "$left" -gt 0 ]; do
		screen_update "Wiping begins in $left s; to stop it, cancel the job or switch off."
		sleep 1
		left=$((left - 1))
	done
}

# wipe_one DISK: status 1 when the job is over.
wipe_one() {
	work_run wipe fos-disk wipe "/dev/$1" "$mode" || return
	case $work_status in
	0) wipe_methods="${wipe_methods:+$wipe_methods, }$1 by $(answer_get method "$work_dir/result") (guarantee: $(
		answer_get guarantee "$work_dir/result"); read back: $(answer_get checked "$work_dir/result"))" ;;
	3) job_fail wipe_failed "$1: $work_said" ;;
	*) job_fail write_error "$1: $work_said" ;;
	esac
	[ "$work_status" -eq 0 ]
}

job_wipe() {
	wanted=$(answer_get disk "$run/job")
	disks=$(wipe_disks)
	if [ -z "$disks" ]; then
		job_fail disk_missing "no disk (${wanted:-auto}) to wipe: $(disk_describe)"
		return
	fi
	wipe_countdown "$(printf '%s' "$disks" | tr '\n' ' ')"
	wipe_methods=
	for name in $disks; do
		wipe_one "$name" || return
	done
	screen_say "Wiped: $wipe_methods."
	job_succeed "$wipe_methods"
}
