# shellcheck shell=sh
# Job `test`: memory, the disks' surface, what the disks say of themselves, and the network. Each
# part that fails is told; the first one gives the reason.

# test_note REASON TEXT: a part has failed.
test_note() {
	screen_say "FAILED: $2"
	[ -n "$test_reason" ] || test_reason=$1
	test_text="${test_text:+$test_text; }$2"
}

# test_memory_megabytes: what is free less 64 MB, so that the client system lives on; rouse_test_memory
# on the command line sets another size.
test_memory_megabytes() {
	free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' "${FOS_PROC:-/proc}/meminfo")
	megabytes=$(number_or $((free - 64)) "$(cmdline_get rouse_test_memory)")
	[ "$megabytes" -ge 1 ] && echo "$megabytes" || echo 1
}

test_memory() {
	megabytes=$(test_memory_megabytes)
	screen_say "Testing $megabytes MB of memory."
	work_run memory memtester "${megabytes}M" 1 || return
	[ "$work_status" -eq 0 ] || test_note memory_error \
		"memtester found an error (status $work_status) in $megabytes MB"
}

# test_disk_names: the disk that the job names, or all fixed ones.
test_disk_names() {
	wanted=$(answer_get disk "$run/job")
	for name in $(disk_list); do
		case ${wanted:-auto} in
		auto) disk_is_fixed "$name" && echo "$name" ;;
		"/dev/$name") echo "$name" ;;
		esac
	done
}

test_disk() {
	for name in $(test_disk_names); do
		screen_say "Reading all of $name."
		work_run surface fos-disk read "/dev/$name" || return
		[ "$work_status" -eq 0 ] || test_note disk_error "$work_said"
	done
}

test_smart() {
	for name in $(test_disk_names); do
		fos-disk info "/dev/$name" >"$run/disk.info" 2>>"$run/log"
		smart=$(answer_get smart "$run/disk.info")
		screen_say "$name says of itself: ${smart:-nothing}."
		[ "$smart" != failing ] || test_note smart_failing "$name expects to fail"
	done
}

# test_network: how fast a file comes over HTTP; fetched again and again for three seconds.
test_network() {
	test_url=$(answer_get test_url "$run/job")
	got=0 begun=$(now_hundredths)
	while :; do
		fos-http "$run/speed" get "$url$test_url" 0 </dev/null >/dev/null || {
			test_note net_error "$(answer_get error "$run/speed")"
			return
		}
		got=$((got + $(number_or 0 "$(answer_get bytes "$run/speed")")))
		lasted=$(($(now_hundredths) - begun))
		[ "$lasted" -lt 300 ] || break
	done
	# bytes in hundredths of a second: a tenth of a megabyte per second is 1,000 of them
	rate=$((got / lasted / 1000))
	screen_say "Network: $((rate / 10)).$((rate % 10)) MB/s over HTTP."
}

# now_hundredths: of a second, since the start.
now_hundredths() {
	cut -d' ' -f1 /proc/uptime | tr -d .
}

job_test() {
	test_reason='' test_text=''
	case $mode in
	all) parts='memory smart disk network' ;;
	memory | disk | smart | network) parts=$mode ;;
	*)
		job_fail client_error "this FOS has no test '$mode'"
		return
		;;
	esac
	for part in $parts; do
		outcome=
		"test_$part"
		[ -z "$outcome" ] || return
	done
	if [ -n "$test_reason" ]; then
		job_fail "$test_reason" "$test_text"
	else
		job_succeed "tested: $parts"
	fi
}
