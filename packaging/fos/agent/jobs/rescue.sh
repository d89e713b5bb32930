# shellcheck shell=sh
# Job `rescue`: as debug, but no disk can be written: a slip of the hand destroys nothing. Who must
# write says blockdev --setrw /dev/NAME.

# shellcheck source=packaging/fos/agent/jobs/debug.sh
. /rouse/jobs/debug.sh

job_rescue() {
	for name in $(disk_list); do
		for part in "/dev/$name" "/dev/$name"[0-9]* "/dev/${name}p"[0-9]*; do
			[ ! -b "$part" ] || blockdev --setro "$part"
		done
	done
	screen_say "The disks are read-only; blockdev --setrw /dev/NAME changes that."
	job_debug
	for name in $(disk_list); do
		blockdev --setrw "/dev/$name"
	done
}
