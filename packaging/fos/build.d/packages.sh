# shellcheck shell=bash
# Debian packages as a source of files: find what is needed, download it once, unpack it once.
# Results lie in the cache under names that carry the packages' versions, so an update of Debian
# makes new ones and an unchanged Debian downloads nothing.

# contents_packages DIR KERNEL: the packages that DIR's lists name, one a line.
contents_packages() {
	printf '%s\n' busybox-static libc6 nettle-dev
	sed -n 's/^\([a-z0-9][^ ]*\) .*/\1/p' "$1/programs" "$1/programs.$2"
}

# packages_closure NAME...: those packages and the libraries that they depend on, as NAME=VERSION.
packages_closure() {
	local named all
	named=$(printf '%s\n' "$@")
	all=$(apt-cache depends --recurse --important "$@" 2>/dev/null | sed -n '/^[a-z0-9]/p' | sort -u)
	[ -n "$all" ] || fail "apt does not know the packages: $*" "run apt-get update as root"
	{
		echo "$named"
		# Anything else in the closure serves installation only (dpkg, install-info, ...).
		grep -E '^(lib|zlib)' <<<"$all" || true
	} | sort -u | xargs apt-cache policy | awk '
		/^[^ ]/ { name = substr($1, 1, length($1) - 1) }
		$1 == "Candidate:" { print name "=" $2 }'
}

# packages_download CACHE NAME=VERSION...: fetch what CACHE/deb does not have yet.
packages_download() {
	local cache=$1 package missing=()
	shift
	mkdir -p "$cache/deb"
	for package in "$@"; do
		[ -f "$(packages_file "$cache" "$package")" ] || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "downloading ${#missing[@]} packages"
	(cd "$cache/deb" && apt-get -qq -o APT::Sandbox::User=root download "${missing[@]}") ||
		fail "could not download ${missing[*]}" \
			"run apt-get update as root and check that the Debian mirror can be reached"
}

# packages_file CACHE NAME=VERSION: where apt-get puts it.
packages_file() {
	local file version=${2#*=}
	for file in "$1/deb/${2%%=*}_${version//:/%3a}"_{"$arch",all}.deb; do
		[ ! -f "$file" ] || break
	done
	echo "$file"
}

# packages_unpack_to CACHE ROOT NAME=VERSION...: unpack into ROOT, whole or not at all.
packages_unpack_to() {
	local cache=$1 root=$2 package
	shift 2
	[ ! -d "$root" ] || return 0
	packages_download "$cache" "$@"
	rm -rf "$root.part"
	mkdir "$root.part"
	for package in "$@"; do
		dpkg -x "$(packages_file "$cache" "$package")" "$root.part" ||
			fail "could not unpack $package" "rm -r $cache/deb and build again"
	done
	mv "$root.part" "$root"
}

# packages_unpack VARIABLE CACHE NAMES: the programs' root; its path goes into VARIABLE.
packages_unpack() {
	local names list path
	mapfile -t names <<<"$3"
	list=$(packages_closure "${names[@]}")
	path=$2/userland-$arch-$(sha256sum <<<"$list" | cut -c1-16)
	mapfile -t names <<<"$list"
	packages_unpack_to "$2" "$path" "${names[@]}"
	printf -v "$1" %s "$path"
}

# packages_unpack_kernel VARIABLE CACHE KIND: the kernel's root; its path goes into VARIABLE.
packages_unpack_kernel() {
	local meta=linux-image-$arch package version path
	[ "$3" = metal ] || meta=linux-image-$3-$arch
	package=$(apt-cache depends --important "$meta" 2>/dev/null | sed -n 's/^ *Depends: //p' | head -n1)
	[ -n "$package" ] || fail "apt does not know the kernel package $meta" "run apt-get update as root"
	version=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: //p')
	path=$2/$package-$version
	packages_unpack_to "$2" "$path" "$package=$version"
	printf -v "$1" %s "$path"
}
