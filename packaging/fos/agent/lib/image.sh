# shellcheck shell=sh
# What capture and deploy share: partitions and their file systems, and one part of an image on its
# way, carried by a program of its own (/rouse/stream, /rouse/store) in a process group of its own.

image_dir=$run/image # of the part that is on its way
image_done=0         # content bytes of the parts before it
image_total=0

# partition_path DISK NUMBER: /dev/vda1, /dev/nvme0n1p1. Partition 0 is the disk itself.
partition_path() {
	case $2:$1 in
	0:*) echo "/dev/$1" ;;
	*[0-9]) echo "/dev/${1}p$2" ;;
	*) echo "/dev/$1$2" ;;
	esac
}

# partition_wait PATH: the kernel has read the table; its node comes a moment later.
partition_wait() {
	naps=0
	until [ -b "$1" ]; do
		[ "$naps" -lt 50 ] || return 1
		naps=$((naps + 1))
		usleep 100000
	done
}

# filesystem_of PATH: as blkid names it, "unknown" when there is none it knows.
filesystem_of() {
	found=$(blkid -p -o value -s TYPE "$1" 2>/dev/null | tr 'A-Z-' 'a-z_' | sed q)
	echo "${found:-unknown}"
}

# partclone_of FILESYSTEM: the program that reads it, or nothing.
partclone_of() {
	case $1 in
	ext2 | ext3 | ext4) echo partclone.extfs ;;
	vfat) echo partclone.fat ;;
	btrfs | xfs | ntfs) echo "partclone.$1" ;;
	esac
}

# can_grow FILESYSTEM
can_grow() {
	case $1 in
	ext2 | ext3 | ext4 | xfs | btrfs | ntfs) return 0 ;;
	esac
	return 1
}

image_get() {
	cat "$image_dir/$1" 2>/dev/null
}

# image_last NAME: the last words of a log, without partclone's decoration.
image_last() {
	grep -v -e '^ *$' -e 'please check' "$image_dir/$1" 2>/dev/null | tail -n 1 | text_clean
}

# image_position: content bytes that have passed, of all parts.
image_position() {
	position=$(sed -n 's/^wchar: //p' "/proc/$(image_get content.pid)/io" 2>/dev/null)
	is_number "$position" || return
	job_bytes=$((image_done + position))
	# what else that process wrote, its report, is no content
	[ "$job_bytes" -le "$image_total" ] || job_bytes=$image_total
}

# image_report STEP: tells menud and the person how far it is. Said once, not until it is answered:
# the next one is due soon. Fails when the job is over (outcome is set).
image_report() {
	percent=$((job_bytes * 100 / (image_total > 0 ? image_total : 1)))
	[ "$percent" -le 100 ] || percent=100
	screen_update "$(answer_get image_name "$run/job"), $disks: $1 $percent % $(image_get note)"
	client_try progress token "$token" step "$1" percent "$percent" bytes "$job_bytes" \
		total "$image_total" text "$(image_get note)" || return 0
	case $(answer_get answer) in
	cancel) job_cancelled ;;
	refused) job_gone ;;
	*)
		[ ! -d "$image_dir" ] || now >"$image_dir/continued"
		return 0
		;;
	esac
	return 1
}

# image_begin [LINE...]: an empty place for a part, with its order.
image_begin() {
	rm -rf "$image_dir"
	mkdir "$image_dir"
	mkfifo "$image_dir/done"
	printf '%s' "$token" >"$image_dir/token"
	printf '%s\n' "$@" >"$image_dir/order"
}

# image_run STEP PROGRAM: until the part has passed. Fails when the job is over.
image_run() {
	# one that is cancelled between two parts begins no other
	image_report "$1" || return
	exec 3<>"$image_dir/done"
	setsid "/rouse/$2" "$image_dir" 3>&- &
	image_pid=$!
	image_is_over=
	# shellcheck disable=SC3045  # busybox's read knows -t
	until read -t "$report_seconds" -r _ <&3; do
		image_position
		if ! image_report "$1"; then
			kill -TERM "-$image_pid" 2>/dev/null
			image_is_over=1
			break
		fi
		kill -0 "$image_pid" 2>/dev/null || break
	done
	wait "$image_pid" 2>/dev/null
	exec 3>&-
	[ -z "$image_is_over" ]
}

# image_passed BYTES: the part is whole.
image_passed() {
	image_done=$((image_done + $1))
	job_bytes=$image_done
}
