# shellcheck shell=sh
# Job `capture`: disks become a version of an image. Of each disk: its boot code, its partition
# table, and every partition, by partclone where it knows the file system, else as it is. Nothing is
# written to the disks; menud publishes the version when finish says that all went well.

capture_choose() {
	case $(answer_get disk "$run/job"):$mode in
	auto:disks | :disks)
		disks=$(for name in $(disk_list); do
			disk_is_fixed "$name" && printf '%s ' "$name"
		done)
		;;
	*) disks=$(disk_choose "$(answer_get disk "$run/job")" 1) ;;
	esac
	[ -n "$disks" ]
}

# Disks turn up a while after their drivers, so a missing one is waited for, 5 s at most.
capture_choose_wait() {
	naps=0
	until capture_choose; do
		if [ "$naps" -eq 25 ]; then
			job_fail disk_missing "no disk ($(answer_get disk "$run/job")) to capture"
			return 1
		fi
		naps=$((naps + 1))
		usleep 200000
		modules_load
	done
}

# capture_table DISK: its dump in $run/table, and $label: gpt, dos or none.
capture_table() {
	label=none
	: >"$run/table"
	[ "$mode" != raw ] || return 0
	sfdisk --dump "/dev/$1" >"$run/table" 2>/dev/null
	case $(sed -n 's/^label: //p' "$run/table") in
	gpt) label=gpt ;;
	dos) label=dos ;;
	esac
}

# capture_partitions: of the table, NUMBER START SIZE TYPE a line, in sectors. Extended partitions
# hold nothing of their own but the table.
capture_partitions() {
	tr -d ' ' <"$run/table" | sed -n \
		's/^\/dev\/.*[^0-9]\([0-9]*\):start=\([0-9]*\),size=\([0-9]*\),type=\([^,]*\).*/\1 \2 \3 \4/p' |
		while read -r number start size type; do
			case $type in
			5 | f | 85) ;;
			*) echo "$number $start $size $type" ;;
			esac
		done
}

# capture_end: the first sector behind all partitions.
capture_end() {
	tr -d ' ' <"$run/table" | sed -n 's/.*:start=\([0-9]*\),size=\([0-9]*\),.*/\1 \2/p' |
		awk '$1 + $2 > end { end = $1 + $2 } END { printf "%.0f", end }'
}

# capture_floor DISK: bytes that a disk must have to take what is used of this one.
capture_floor() {
	floor=$(disk_size "$1")
	[ "$label" != none ] || return 0
	used=$(($(capture_end) * sector_size))
	[ "$label" != gpt ] || used=$((used + 16384 + sector_size))
	[ "$used" -ge "$floor" ] || floor=$used
}

# capture_plan DISK: lines "PARTITION KIND FILESYSTEM PLACE GROW" in $run/plan.
capture_plan() {
	if [ "$label" = none ]; then
		printf '0 raw - %s 0\n' "$(disk_size "$1")" >"$run/plan"
		return
	fi
	largest=0 grow=0
	capture_partitions | while read -r number start size _; do
		path=$(partition_path "$1" "$number")
		place=$((size * sector_size))
		filesystem=$(filesystem_of "$path")
		kind=raw
		[ -z "$(partclone_of "$filesystem")" ] || kind=filesystem
		[ "$filesystem" != swap ] || place=4096
		echo "$number $kind $filesystem $place $start"
	done >"$run/partitions"
	while read -r number kind filesystem place _; do
		if can_grow "$filesystem" && [ "$place" -gt "$largest" ]; then
			largest=$place grow=$number
		fi
	done <"$run/partitions"
	{
		first=$(awk 'NR == 1 || $5 < first { first = $5 } END { printf "%.0f", first }' "$run/partitions")
		boot=$(((first > 0 ? first : 2048) * sector_size))
		[ "$boot" -le 16777216 ] || boot=16777216
		printf '0 boot - %s 0\n0 table - %s 0\n' "$boot" "$(wc -c <"$run/table")"
		awk -v grow="$grow" '{ print $1, $2, $3, $4, $1 == grow }' "$run/partitions"
	} >"$run/plan"
}

# capture_say VERB [NAME VALUE]...: fails when the job is over.
capture_say() {
	capture_verb=$1
	shift
	if ! client_call "$capture_verb" token "$token" "$@"; then
		job_fail client_error "$capture_verb: $client_error"
		return 1
	fi
	job_check_answer
}

# capture_judge PARTITION: outcome from what each member left behind; the disk is asked first.
capture_judge() {
	if [ "$(image_get read.status):$(image_get content.status)" != 0:0 ] && [ "$(image_get put.status)" = 0 ]; then
		case $(image_get partclone.log) in
		*cleanly* | *hibernat* | *dirty* | *"valid state"* | *unclean* | *chkdsk* | *fsck*)
			job_fail unclean_filesystem "$1: $(image_last partclone.log)" ;;
		*) job_fail disk_error "$1: $(image_last read.log) $(image_last partclone.log)" ;;
		esac
		return 1
	fi
	case $(image_get put.status):$(answer_get status "$image_dir/put.report") in
	0:*)
		[ "$(image_get pack.status)" = 0 ] && return 0
		job_fail client_error "zstd: $(image_last pack.log)"
		;;
	# a job that was cancelled or taken away stores nothing more: the answer to a report says which
	3:403) image_report capture && job_fail client_error "$(answer_get error "$image_dir/put.report")" ;;
	3:507) job_fail store_full "$(answer_get error "$image_dir/put.report")" ;;
	3:413) job_fail image_too_large "$(answer_get error "$image_dir/put.report")" ;;
	3:422) job_fail hash_mismatch "$(answer_get error "$image_dir/put.report")" ;;
	2:*) job_fail net_error "$(answer_get error "$image_dir/put.report")" ;;
	*) job_fail client_error "$(answer_get error "$image_dir/put.report") $(image_last put.log)" ;;
	esac
	return 1
}

# capture_swap_sleeps PATH: a hibernated system lies in it; what was mounted then is not whole.
capture_swap_sleeps() {
	[ "$(dd if="$1" bs=1 skip=4086 count=10 2>/dev/null)" != SWAPSPACE2 ]
}

# capture_part DISK NUMBER-OF-DISK PARTITION KIND FILESYSTEM PLACE GROW
capture_part() {
	part=$((part + 1))
	path=$(partition_path "$1" "$3")
	from=$path filesystem=$5
	[ "$filesystem" != - ] || filesystem=
	[ "$4" != table ] || from=$run/table
	if [ "$5" = swap ] && capture_swap_sleeps "$path"; then
		job_fail unclean_filesystem "$path: a hibernated system lies in this swap partition"
		return 1
	fi
	facts="number $part disk $2 partition $3 kind $4"
	# shellcheck disable=SC2086  # a list of words, made for splitting
	capture_say part $facts filesystem "$filesystem" place "$6" grow "$7" || return
	image_begin "url=$url$(answer_get part_url)" "source=$from" "kind=$4" "place=$6" \
		"program=$(partclone_of "$filesystem")"
	image_run capture store && capture_judge "$path" || return
	image_passed "$6"
	# shellcheck disable=SC2086
	capture_say part $facts filesystem "$filesystem" place "$6" grow "$7" \
		content_size "$(answer_get bytes "$image_dir/content.report")" \
		content_sha256 "$(answer_get sha256 "$image_dir/content.report")"
}

# capture_disk NAME NUMBER
capture_disk() {
	sector_size=$(disk_sector_size "$1")
	capture_table "$1"
	capture_floor "$1"
	capture_plan "$1"
	capture_say disk number "$2" size "$(disk_size "$1")" floor "$floor" \
		sector_size "$sector_size" label "$label" || return
	while read -r number kind filesystem place grow <&6; do
		capture_part "$1" "$2" "$number" "$kind" "$filesystem" "$place" "$grow" || return
	done 6<"$run/plan"
}

job_capture() {
	capture_choose_wait || return
	for name in $disks; do
		image_total=$((image_total + $(disk_size "$name")))
	done
	image_report disk || return
	part=0 disk_number=0
	for name in $disks; do
		disk_number=$((disk_number + 1))
		capture_disk "$name" "$disk_number" || return
	done
	job_succeed
}
