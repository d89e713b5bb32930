# shellcheck shell=bash
# Tree -> init.xz, the same bytes for the same tree.

# pack_tree TREE FILE. The kernel's decoder knows no SHA-256 or CRC64, hence --check=crc32.
pack_tree() {
	find "$1" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
	(cd "$1" && find . -mindepth 1 | sort | cpio --quiet -o -H newc -R 0:0 --reproducible) |
		xz --check=crc32 -T1 -6 >"$2" ||
		fail "could not pack the initial disk" "check the free space below ${2%/*}"
}

pack_size() {
	awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'
}
