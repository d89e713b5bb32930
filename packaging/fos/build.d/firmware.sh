# shellcheck shell=bash
# Firmware files: those that the modules of the tree ask for, and no others, from Debian's firmware packages.

# firmware_packages LIST: the packages of the list that apt knows; which it does not know is told.
firmware_packages() {
	local package policy unknown=()
	while read -r package _; do
		policy=$(apt-cache policy "$package" 2>/dev/null)
		if grep -q '^ *Candidate: [^(]' <<<"$policy"; then
			echo "$package"
		else
			unknown+=("$package")
		fi
	done < <(sed '/^#/d;/^$/d' "$1")
	[ ${#unknown[@]} -eq 0 ] || say "apt does not know ${unknown[*]}:" \
		"add the component non-free-firmware to its sources for what these have" >&2
}

# firmware_wanted TREE: the names that its modules ask for, below /lib/firmware, one a line.
firmware_wanted() {
	find "$1/usr/lib/modules" -name '*.ko' -exec modinfo -F firmware {} + | sort -u
}

# firmware_unpack VARIABLE CACHE LIST: the packages' root, if there is any; its path goes into VARIABLE.
firmware_unpack() {
	local found
	found=$(firmware_packages "$3")
	printf -v "$1" %s "$2/no-firmware"
	[ -z "$found" ] || packages_unpack "$1" "$2" "$found"
}

# firmware_find ROOT NAME: prints where it is; fails when it is not there.
firmware_find() {
	local place
	for place in "$1"/lib/firmware "$1"/usr/lib/firmware; do
		[ ! -f "$place/$2" ] || { echo "$place/$2"; return; }
	done
	return 1
}

# firmware_add TREE ROOT: copies what TREE wants and does not have from the unpacked packages below ROOT;
# prints the names that are not there either.
firmware_add() {
	local name file
	while read -r name; do
		[ ! -e "$1/usr/lib/firmware/$name" ] || continue
		if file=$(firmware_find "$2" "$name"); then
			install -D -m 644 "$file" "$1/usr/lib/firmware/$name" ||
				fail "could not copy the firmware $name" "check the free space below $1"
		else
			echo "$name"
		fi
	done < <(firmware_wanted "$1")
}

# firmware_tell TREE MISSING: how many there are, and what is missing, if anything was wanted.
firmware_tell() {
	local present=0 missing
	[ ! -d "$1/usr/lib/firmware" ] || present=$(find "$1/usr/lib/firmware" -type f | wc -l)
	missing=$(wc -l <"$2")
	[ $((present + missing)) -gt 0 ] || return 0
	say "firmware: $present files are in, $missing that drivers may ask for are not: $2"
}
