# shellcheck shell=sh
# Job `deploy`: an image, streamed from menud onto the disk. The work is done by /rouse/stream in a
# process group of its own; this file chooses the disk, reports, stops, and judges the result.

stream_dir=$run/stream

# deploy_load: the job's keys; fails when one is not what it must be.
deploy_load() {
	for key in image_size disk_size; do
		if ! is_number "$(answer_get $key "$run/job")"; then
			job_fail client_error "the job's $key is not a number"
			return 1
		fi
	done
	image_size=$(answer_get image_size "$run/job")
	disk_bytes=$(answer_get disk_size "$run/job")
	image_sha256=$(answer_get image_sha256 "$run/job")
	disk_sha256=$(answer_get disk_sha256 "$run/job")
	image_url=$(answer_get image_url "$run/job")
	case $(answer_get image_format "$run/job"):$image_url in
	raw.zst:/*) return 0 ;;
	raw.zst:*) job_fail client_error "the job's image_url is no path" ;;
	*) job_fail client_error "this FOS cannot write images of the format '$(
		answer_get image_format "$run/job")'" ;;
	esac
	return 1
}

# deploy_choose_disk: sets $disk. Disks turn up a while after their drivers, so a missing one is
# waited for, 5 s at most.
deploy_choose_disk() {
	wanted=$(answer_get disk "$run/job") naps=0
	while :; do
		disk=$(disk_choose "${wanted:-auto}" "$disk_bytes")
		case $? in
		0) return 0 ;;
		2)
			job_fail disk_too_small "no disk (${wanted:-auto}) holds $disk_bytes bytes: $(
				deploy_list_disks)"
			return 1
			;;
		esac
		if [ "$naps" -eq 25 ]; then
			job_fail disk_missing "no disk (${wanted:-auto}) found: $(deploy_list_disks)"
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

deploy_start() {
	rm -rf "$stream_dir"
	mkdir "$stream_dir"
	mkfifo "$stream_dir/done"
	exec 3<>"$stream_dir/done"
	printf '%s\n' "url=$url$image_url" "token=$token" "size=$image_size" "disk=/dev/$disk" \
		>"$stream_dir/order"
	setsid /rouse/stream "$stream_dir" &
	stream_pid=$!
}

# deploy_position: bytes that the writer has put on the disk so far.
deploy_position() {
	position=$(sed -n 's/^pos:[^0-9]*//p' \
		"/proc/$(cat "$stream_dir/write.pid" 2>/dev/null)/fdinfo/1" 2>/dev/null)
	is_number "$position" && job_bytes=$position
}

# deploy_report STEP: tells menud and the person how far it is. Said once, not until it is answered:
# the next one is due soon. Fails when the job is over (outcome is set).
deploy_report() {
	percent=$((job_bytes * 100 / (disk_bytes > 0 ? disk_bytes : 1)))
	[ "$percent" -le 100 ] || percent=100
	screen_update "$(answer_get image_name "$run/job") -> $disk: $1 $percent % $(
		cat "$stream_dir/note" 2>/dev/null)"
	client_try progress token "$token" step "$1" percent "$percent" bytes "$job_bytes" \
		total "$disk_bytes" text "$(cat "$stream_dir/note" 2>/dev/null)" || return 0
	case $(answer_get answer) in
	cancel) job_cancelled ;;
	refused) job_gone ;;
	*)
		[ ! -d "$stream_dir" ] || now >"$stream_dir/continued"
		return 0
		;;
	esac
	return 1
}

deploy_stop() {
	kill -TERM "-$stream_pid" 2>/dev/null
	wait "$stream_pid" 2>/dev/null
}

# deploy_watch: reports until the stream has ended, which `done` tells. Fails when the job is over.
deploy_watch() {
	# shellcheck disable=SC3045  # busybox's read knows -t
	until read -t "$report_seconds" -r _ <&3; do
		deploy_position
		if ! deploy_report write; then
			deploy_stop
			return 1
		fi
		kill -0 "$stream_pid" 2>/dev/null || return 0
	done
}

stream_get() {
	cat "$stream_dir/$1" 2>/dev/null
}

# deploy_judge: outcome from what each member of the stream left behind. The order matters: when
# one member dies, its neighbours die of it; the disk is asked first, then the network.
deploy_judge() {
	stream_sha256=$(answer_get sha256 "$stream_dir/transfer.report")
	written_sha256=$(answer_get sha256 "$stream_dir/write.report")
	if [ "$(stream_get write.status)" != 0 ]; then
		job_fail write_error "$disk: $(answer_get error "$stream_dir/write.report") $(
			stream_get write.log)"
	elif [ -s "$stream_dir/fetch.reason" ]; then
		job_fail "$(stream_get fetch.reason)" "$(stream_get fetch.text)"
	elif [ "$(stream_get unpack.status)" != 0 ]; then
		job_fail hash_mismatch "the stream is damaged: $(stream_get unpack.log | tail -n 1)"
	elif [ "$(stream_get fetch.status):$(stream_get transfer.status)" != 0:0 ]; then
		job_fail client_error "$(stream_get fetch.log) $(stream_get transfer.log)"
	elif [ "$stream_sha256" != "$image_sha256" ]; then
		job_fail hash_mismatch "the stream's SHA-256 is $stream_sha256"
	elif [ "$written_sha256" != "$disk_sha256" ]; then
		job_fail hash_mismatch "the disk contents' SHA-256 is $written_sha256"
	else
		job_bytes=$disk_bytes
		job_succeed
	fi
}

job_deploy() {
	deploy_load && deploy_choose_disk || return
	deploy_report disk || return
	deploy_start
	deploy_watch && deploy_judge
	exec 3>&-
	if [ "$outcome" = succeeded ]; then
		blockdev --rereadpt "/dev/$disk" 2>/dev/null
		deploy_report verify || :
		job_succeed
	else
		disk_spoil "$disk"
	fi
}
