# shellcheck shell=sh
# Disks, as /sys/block shows them.

# disk_list: names of what could be a machine's own disk: no floppy, CD, memory disk, or boot area
# of an eMMC chip, and not empty.
disk_list() {
	for path in "${FOS_SYS:-/sys}"/block/*; do
		case ${path##*/} in
		loop* | ram* | zram* | sr* | fd* | dm-* | md* | mtdblock* | nbd* | *boot[0-9] | *rpmb) continue ;;
		esac
		[ -r "$path/size" ] && [ "$(cat "$path/size")" -gt 0 ] && echo "${path##*/}"
	done
}

# disk_settle: waits, once, until no further disk has turned up for two seconds, 10 s at most. Controllers look for
# their disks beside everything else, and a SATA or SCSI disk then still wants its own driver. A deploy and a
# capture wait for the disks that they need, and no longer.
disk_settle() {
	case $kind:$disks_are_settled in
	deploy:* | capture:* | *:1) return ;;
	esac
	disks_are_settled=1 naps=0 calm=0 before=
	while [ "$calm" -lt 10 ] && [ "$naps" -lt 50 ]; do
		modules_load
		found=$(echo "${FOS_SYS:-/sys}"/block/* "${FOS_SYS:-/sys}"/bus/scsi/devices/*)
		calm=$((calm + 1))
		[ "$found" = "$before" ] || calm=0
		before=$found
		naps=$((naps + 1))
		usleep 200000
	done
}

# disk_size NAME: in bytes. /sys counts in 512 bytes, whatever the sector size.
disk_size() {
	echo $(($(cat "${FOS_SYS:-/sys}/block/$1/size") * 512))
}

# disk_sector_size NAME: of a logical sector, in bytes.
disk_sector_size() {
	cat "${FOS_SYS:-/sys}/block/$1/queue/logical_block_size"
}

# disk_is_fixed NAME: writable, not removable and not on USB; there the installer's stick sits.
disk_is_fixed() {
	[ "$(cat "${FOS_SYS:-/sys}/block/$1/removable")" = 0 ] || return 1
	[ "$(cat "${FOS_SYS:-/sys}/block/$1/ro")" = 0 ] || return 1
	case $(readlink -f "${FOS_SYS:-/sys}/block/$1") in
	*/usb[0-9]*) return 1 ;;
	esac
}

# disk_choose WANTED BYTES: prints the name of the disk to write. WANTED is `auto` or /dev/NAME.
# Status 1: there is none (disk_missing); 2: none is large enough (disk_too_small).
disk_choose() {
	disk_status=1
	for name in $(disk_list); do
		case $1 in
		auto) disk_is_fixed "$name" || continue ;;
		*) [ "/dev/$name" = "$1" ] || continue ;;
		esac
		if [ "$(disk_size "$name")" -ge "$2" ]; then
			echo "$name"
			return 0
		fi
		disk_status=2
	done
	return "$disk_status"
}

# disk_describe: what disks there are, for a message that there is none to use.
disk_describe() {
	list=$(for name in $(disk_list); do
		printf '%s has %s bytes, ' "$name" "$(disk_size "$name")"
	done)
	printf '%s' "${list:-there is none at all, }" | sed 's/, $//'
}

# disk_spoil NAME: overwrites the first and last MiB, where partition tables are, so that a disk
# that was written by half does not boot.
disk_spoil() {
	dd if=/dev/zero of="/dev/$1" bs=1M count=1 conv=notrunc,fsync 2>/dev/null
	dd if=/dev/zero of="/dev/$1" bs=1M count=1 seek=$(($(disk_size "$1") / 1048576 - 1)) \
		conv=notrunc,fsync 2>/dev/null
	blockdev --rereadpt "/dev/$1" 2>/dev/null
}
