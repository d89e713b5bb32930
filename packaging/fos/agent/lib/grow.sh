# shellcheck shell=sh
# File systems that take the room which their partition has got. What programs say goes to the caller's output.

# filesystem_mount KIND PATH: at $run/mount.
filesystem_mount() {
	mkdir -p "$run/mount"
	modprobe -qa "$1" nls_cp437 nls_ascii nls_iso8859-1
	mount -t "$1" "$2" "$run/mount"
}

# grow_filesystem KIND PATH: fails where it cannot grow, or this FOS lacks the program for it.
grow_filesystem() {
	case $1 in
	ext2 | ext3 | ext4)
		e2fsck -fy "$2"
		resize2fs "$2"
		;;
	ntfs) yes | ntfsresize --force "$2" ;;
	xfs) grow_mounted "$1" "$2" xfs_growfs ;;
	btrfs) grow_mounted "$1" "$2" btrfs filesystem resize max ;;
	*) false ;;
	esac
}

# grow_mounted KIND PATH COMMAND...: for those that grow only while they are mounted.
grow_mounted() {
	filesystem_mount "$1" "$2" || return
	shift 2
	"$@" "$run/mount"
	grow_status=$?
	umount "$run/mount" && return "$grow_status"
}
