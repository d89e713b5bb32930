# shellcheck shell=bash
# The architecture that is built for: $arch, $triplet (of its libraries), $loader, $compiler, $kernel_name, which
# whoever calls arch_use declares.

# arch_use ARCH CACHE: for another one than this machine's, apt gets a configuration and lists of its own,
# below CACHE: nothing of the machine's changes, and no root is needed.
arch_use() {
	arch=$1 compiler=cc
	case $arch in
	amd64) triplet=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 kernel_name=bzImage ;;
	arm64) triplet=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 kernel_name=Image ;;
	*) fail "there is no FOS for '$arch'" "say --arch amd64 or --arch arm64" ;;
	esac
	[ "$arch" != "$(dpkg --print-architecture)" ] || return 0
	compiler=$triplet-gcc
	check_tool "$compiler" "gcc-$triplet libc6-dev-$arch-cross"
	check_tool busybox busybox-static
	arch_use_lists "$2/apt-$arch"
}

arch_use_lists() {
	mkdir -p "$1"/lists/partial "$1"/cache/archives/partial
	cat >"$1/apt.conf" <<-EOF
	APT::Architecture "$arch";
	APT::Architectures { "$arch"; };
	APT::Sandbox::User "root";
	Dir::State::lists "$1/lists";
	Dir::State::status "/dev/null";
	Dir::Cache "$1/cache";
	EOF
	export APT_CONFIG=$1/apt.conf
	[ -n "$(find "$1/updated" -mtime -1 2>/dev/null)" ] || {
		say "fetching the package lists of $arch"
		apt-get -qq update || fail "could not fetch the package lists of $arch" \
			"check that the Debian mirrors in apt's sources can be reached and have $arch"
		touch "$1/updated"
	}
}
