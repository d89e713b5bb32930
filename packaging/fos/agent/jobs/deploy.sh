# shellcheck shell=sh
# Job `deploy`: a version of an image onto the disks. Everything that can be known before is checked
# before the first byte is written: how many disks, their sizes, their sectors. Then each disk gets its
# table, fitted to its size, each partition its contents, and last of all what makes it boot.

# shellcheck source=packaging/fos/agent/lib/efi.sh
. /rouse/lib/efi.sh
# shellcheck source=packaging/fos/agent/lib/grow.sh
. /rouse/lib/grow.sh

# deploy_manifest: $run/disks and $run/parts, the lines of the manifest without their keys.
deploy_manifest() {
	if ! client_call manifest token "$token"; then
		job_fail client_error "manifest: $client_error"
		return 1
	fi
	job_check_answer || return
	image_url=$(answer_get image_url "$run/job")
	sed -n 's/^disk=//p' "$run/answer" >"$run/disks"
	sed -n 's/^part=//p' "$run/answer" >"$run/parts"
	case $image_url:$(wc -l <"$run/disks"):$(wc -l <"$run/parts") in
	/*:0:* | /*:*:0) job_fail client_error "the image has no disks or no parts" ;;
	/*) return 0 ;;
	*) job_fail client_error "the job's image_url is no path" ;;
	esac
	return 1
}

# deploy_check_parts: the numbers of the manifest are numbers, and the kinds those of this FOS.
deploy_check_parts() {
	image_total=0
	while read -r number disk partition kind _ place size _ content_size _; do
		case $kind in
		table | boot | filesystem | raw) ;;
		*)
			job_fail client_error "this FOS cannot write a part of kind '$kind'"
			return 1
			;;
		esac
		[ "$content_size" != - ] || content_size=$place
		for word in "$number" "$disk" "$partition" "$place" "$size" "$content_size"; do
			is_number "$word" && continue
			job_fail client_error "part $number of the manifest makes no sense: '$word'"
			return 1
		done
		image_total=$((image_total + content_size))
	done <"$run/parts"
}

# deploy_next_disk FLOOR: the first disk by name that is fixed, large enough and not taken; as
# disk_choose, whose statuses it has.
deploy_next_disk() {
	disk_status=1
	for name in $(disk_list); do
		disk_is_fixed "$name" || continue
		case " $disks " in *" $name "*) continue ;; esac
		if [ "$(disk_size "$name")" -ge "$1" ]; then
			echo "$name"
			return 0
		fi
		disk_status=2
	done
	return "$disk_status"
}

# deploy_choose: sets $disks, in the order of the image's. Its status is 0, or that of disk_choose
# with the floor that was not met in $disk_bytes.
deploy_choose() {
	disks='' wanted=$(answer_get disk "$run/job")
	while read -r number _ _ disk_bytes _; do
		if [ "$number" = 1 ]; then
			disk=$(disk_choose "${wanted:-auto}" "$disk_bytes")
		else
			disk=$(deploy_next_disk "$disk_bytes")
		fi || return
		disks="$disks${disks:+ }$disk"
	done <"$run/disks"
}

# deploy_choose_wait: disks turn up a while after their drivers, so a missing one is waited for, 5 s
# at most.
deploy_choose_wait() {
	naps=0
	while :; do
		deploy_choose
		case $? in
		0) return 0 ;;
		2)
			job_fail disk_too_small "no disk (${wanted:-auto}) holds $disk_bytes bytes: $(
				deploy_list_disks)"
			return 1
			;;
		esac
		if [ "$naps" -eq 25 ]; then
			job_fail disk_missing "no disk (${wanted:-auto}) for disk $number of the image: $(
				deploy_list_disks)"
			return 1
		fi
		naps=$((naps + 1))
		usleep 200000
		modules_load
	done
}

deploy_list_disks() {
	list=$(for name in $(disk_list); do
		printf '%s has %s bytes, ' "$name" "$(disk_size "$name")"
	done)
	printf '%s' "${list:-there is none at all, }" | sed 's/, $//'
}

# deploy_disk NUMBER: the machine's disk for the image's disk NUMBER.
deploy_disk() {
	echo "$disks" | cut -d' ' -f"$1"
}

deploy_check_sectors() {
	while read -r number _ sector_size _ _; do
		disk=$(deploy_disk "$number")
		has=$(disk_sector_size "$disk")
		case $sector_size in
		- | "$has") continue ;;
		esac
		job_fail disk_mismatch "$disk has sectors of $has bytes, the image's disk $number of $sector_size"
		return 1
	done <"$run/disks"
}

# deploy_fetch TARGET: the part of $number etc. into a file or a device.
deploy_fetch() {
	# written without truncation: a file that a part before left would stick out behind this one
	case $1 in "$run"/*) rm -f "$1" ;; esac
	image_begin "url=$url$image_url/$number" "size=$size" "kind=$kind" "target=$1" "mode=$mode"
	image_run write stream && deploy_judge "$1" || return
	image_passed "$(answer_get bytes "$image_dir/content.report")"
}

# deploy_disk_failed: the writer ended with an error, and not for want of input. partclone also fails
# when what it reads breaks off; then what feeds it has come to its end, and zstd has not.
deploy_disk_failed() {
	[ "$(image_get write.status)" != 0 ] || return 1
	[ "$(image_get content.status)" != 0 ] || [ "$(image_get unpack.status)" = 0 ] || [ "$kind" != filesystem ]
}

# deploy_content_refused: partclone found that it was given something else than an image: no fault of the disk's.
deploy_content_refused() {
	case $(image_get partclone.log) in
	*"CRC error"* | *"not partclone image"*) return 0 ;;
	esac
	return 1
}

# deploy_judge TARGET: outcome from what each member left behind. The order matters: when one member
# dies, its neighbours die of it; the disk is asked first, then the network.
deploy_judge() {
	stream_sha256=$(answer_get sha256 "$image_dir/fetch.report")
	fetch_reason=$(answer_get reason "$image_dir/fetch.report")
	fetch_error=$(answer_get error "$image_dir/fetch.report")
	written_sha256=$(answer_get sha256 "$image_dir/content.report")
	if deploy_content_refused; then
		job_fail hash_mismatch "part $number: what it holds is damaged: $(image_last partclone.log)"
	elif deploy_disk_failed; then
		job_fail write_error "$1: $(answer_get error "$image_dir/content.report") $(
			image_last write.log) $(image_last partclone.log)"
	elif [ -n "$fetch_reason" ]; then
		# a job that was cancelled or taken away gets no more of its image: the answer to a report says so
		[ "$fetch_reason" != client_error ] || image_report write || return
		job_fail "$fetch_reason" "part $number: $fetch_error"
	elif [ "$(image_get unpack.status)" != 0 ]; then
		job_fail hash_mismatch "part $number: the stream is damaged: $(image_last unpack.log)"
	elif [ "$(image_get fetch.status):$(image_get content.status)" != 0:0 ]; then
		job_fail client_error "part $number: $(image_last fetch.log) $fetch_error"
	elif [ "$stream_sha256" != "$sha256" ]; then
		job_fail hash_mismatch "part $number: the stream's SHA-256 is $stream_sha256"
	elif [ "$mode" = verify ] && [ "$content_sha256" != - ] && [ "$written_sha256" != "$content_sha256" ]; then
		job_fail hash_mismatch "part $number: the contents' SHA-256 is $written_sha256"
	else
		return 0
	fi
	return 1
}

# deploy_growing DISK-NUMBER: the partition that takes what the disk has more, the largest of those that
# may grow; 0: none.
deploy_growing() {
	awk -v disk="$1" '$2 == disk && $11 == "grow" && $6 > most { most = $6; growing = $3 } END { print growing + 0 }' \
		"$run/parts"
}

# deploy_table: the disk's partition table, fitted to its size.
deploy_table() {
	deploy_fetch "$run/table" || return
	sector_size=$(disk_sector_size "$target_disk")
	awk -v sectors="$(($(disk_size "$target_disk") / sector_size))" -v sector_size="$sector_size" \
		-v grow="$(deploy_growing "$disk")" -f /rouse/layout.awk "$run/table" >"$run/layout"
	if ! sfdisk -q --force --wipe always --no-reread --no-tell-kernel "/dev/$target_disk" \
		<"$run/layout" >"$run/sfdisk.log" 2>&1; then
		job_fail write_error "$target_disk: sfdisk: $(tail -n 1 "$run/sfdisk.log" | text_clean)"
		return 1
	fi
	if ! blockdev --rereadpt "/dev/$target_disk" 2>"$run/sfdisk.log"; then
		job_fail write_error "$target_disk: the kernel does not read its new table: $(tail -n 1 "$run/sfdisk.log" | text_clean)"
		return 1
	fi
}

# deploy_sync PATH: what was written is on the disk, or it says why not.
deploy_sync() {
	dd if=/dev/null of="$1" conv=notrunc,fsync 2>"$run/sync.log" && return
	job_fail write_error "$1: $(head -n 1 "$run/sync.log" | text_clean)"
	return 1
}

# deploy_part: one line of the manifest, in variables. A boot part is kept for the end.
deploy_part() {
	target_disk=$(deploy_disk "$disk")
	case $kind in
	table) deploy_table ;;
	boot) deploy_fetch "$run/boot.$disk" ;;
	*)
		path=$(partition_path "$target_disk" "$partition")
		if ! partition_wait "$path"; then
			job_fail write_error "$path does not appear: the kernel does not take the partition table"
			return 1
		fi
		deploy_fetch "$path" && deploy_sync "$path"
		;;
	esac
}

# deploy_each FUNCTION: for each part, its line of the manifest in variables.
deploy_each() {
	while read -r number disk partition kind filesystem place size sha256 content_size content_sha256 grow <&6; do
		"$1" || return
	done 6<"$run/parts"
}

# deploy_read_back: what is on the disk is what was sent, as the disk itself says.
deploy_read_back() {
	case $kind in table | boot) return 0 ;; esac
	if [ "$content_sha256" = - ]; then
		job_fail unsupported "part $number was not made by rouse: what it holds on a disk is not known"
		return 1
	fi
	target_disk=$(deploy_disk "$disk")
	path=$(partition_path "$target_disk" "$partition")
	deploy_view "$((place / 512))" || return
	blockdev --flushbufs "$path"
	echo 3 >/proc/sys/vm/drop_caches
	image_begin "source=$path" "kind=$kind" "place=$content_size" "program=$(partclone_of "$filesystem")"
	image_run verify readback || return
	deploy_view "$whole" || return
	[ "$(answer_get sha256 "$image_dir/content.report")" != "$content_sha256" ] || return 0
	job_fail hash_mismatch "$path gives back something else than was written: $(image_last read.log)"
	return 1
}

# deploy_view SECTORS: lets the kernel see a partition that has grown as so large, of 512 bytes each; $whole is what it
# was before. Nothing is written. partclone puts the partition's size into what it makes of NTFS: that must be the image's.
deploy_view() {
	[ "$grow" = grow ] || return 0
	whole=$(blockdev --getsz "$path")
	resizepart "/dev/$target_disk" "$partition" "$1" 2>"$run/view.log" && return
	job_fail client_error "$path: resizepart: $(tail -n 1 "$run/view.log" | text_clean)"
	return 1
}

# deploy_boot_code: the first 440 bytes, and before a DOS table what lies between it and the first
# partition, where GRUB has its second stage. The table itself is sfdisk's.
deploy_boot_code() {
	[ "$kind" = boot ] || return 0
	target=/dev/$(deploy_disk "$disk") boot=$run/boot.$disk
	dd if="$boot" of="$target" bs=440 count=1 conv=notrunc 2>"$run/boot.log" &&
		case $(awk -v disk="$disk" '$1 == disk { print $5 }' "$run/disks") in
		dos) dd if="$boot" of="$target" bs=512 skip=1 seek=1 conv=notrunc 2>"$run/boot.log" ;;
		esac && deploy_sync "$target" && return
	[ "$outcome" = failed ] || job_fail write_error "$target: $(head -n 1 "$run/boot.log" | text_clean)"
	return 1
}

# deploy_grow: the file system takes the room that its partition has got. One that cannot grow is
# whole all the same: that is said, and no failure.
deploy_grow() {
	[ "$grow" = grow ] || return 0
	path=$(partition_path "$(deploy_disk "$disk")" "$partition")
	image_report grow || return
	grow_filesystem "$filesystem" "$path" >"$run/grow.log" 2>&1 ||
		screen_say "The file system on $path ($filesystem) keeps its size: $(tail -n 1 "$run/grow.log" | text_clean)"
}

# deploy_efi: what the firmware of this machine needs to find the system, where it is an EFI one.
deploy_efi() {
	[ "$filesystem" = vfat ] && [ "$(identity_firmware_get)" = efi ] || return 0
	efi_disk=$(deploy_disk "$disk")
	filesystem_mount vfat "$(partition_path "$efi_disk" "$partition")" 2>/dev/null || return 0
	efi_fallback "$run/mount/EFI"
	efi_entry "$efi_disk" "$partition" "$run/mount"
	umount "$run/mount"
	return 0
}

deploy_write() {
	deploy_each deploy_part || return
	[ "$mode" != verify ] || deploy_each deploy_read_back || return
	deploy_each deploy_grow && deploy_each deploy_efi && deploy_each deploy_boot_code
}

job_deploy() {
	deploy_manifest && deploy_check_parts && deploy_choose_wait && deploy_check_sectors || return
	image_report disk || return
	# what was there before must not be found by what comes after
	for name in $disks; do
		disk_spoil "$name"
	done
	if deploy_write; then
		for name in $disks; do
			blockdev --rereadpt "/dev/$name" 2>/dev/null
		done
		export FOS_DISKS="$disks" FOS_HOST="$host"
		hooks_run deployed succeeded
		job_bytes=$image_total
		image_report verify || :
		job_succeed
	else
		for name in $disks; do
			disk_spoil "$name"
		done
	fi
}
