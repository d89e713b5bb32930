# shellcheck shell=bash
# The initial disk's tree: directories, programs with their libraries, kernel modules, the agent.

# tree_make TREE HERE USERLAND KERNEL_ROOT KERNEL
tree_make() {
	local tree=$1 here=$2 userland=$3 kernel_root=$4 kernel=$5
	mkdir -p "$tree"/{dev,proc,sys,run,tmp,etc,root,usr/bin,usr/sbin,usr/lib,rouse/hooks}
	ln -s usr/bin "$tree/bin"
	ln -s usr/sbin "$tree/sbin"
	ln -s usr/lib "$tree/lib"
	ln -s usr/lib "$tree/lib64"
	compile_words=(-I "$userland/usr/include" -L "$userland/usr/lib/$triplet")
	tree_add_busybox "$tree" "$userland"
	tree_add_crypto "$tree" "$here/crypto"
	tree_add_programs "$tree" "$userland" "$here/contents" "$kernel"
	tree_add_own "$tree" "$userland" fos-http "$here"/http/*.c
	tree_add_own "$tree" "$userland" fos-hash "$here"/hash/*.c -l:libnettle.a
	tree_add_own "$tree" "$userland" fos-disk "$here"/disk/*.c
	tree_add_own "$tree" "$userland" fos-get "$here"/{get,transfer}/*.c "$here"/http/{head,url,wire}.c -l:libnettle.a
	tree_add_own "$tree" "$userland" fos-put "$here"/{put,transfer}/*.c "$here"/http/{head,url,wire}.c -l:libnettle.a
	tree_check_crypto "$tree"
	tree_add_modules "$tree" "$kernel_root" "$here/contents/modules.$kernel"
	cp -r "$here/agent/." "$tree/rouse/"
	ln -s rouse/init "$tree/init"
	# the umask of whoever checked the sources out, or unpacked the packages, is not part of FOS
	chmod -R u=rwX,go=rX "$tree"
}

# tree_add_overlay TREE OVERLAY: modes stay, for a key must not become readable. tar, since cp takes
# no folder lib for the link of that name.
tree_add_overlay() {
	tar -C "$2" -c . | tar -C "$1" -x --no-same-owner --keep-directory-symlink ||
		fail "could not lay $2 over the initial disk" \
			"where FOS has a file, the overlay must not have a folder, nor the other way round"
}

tree_add_busybox() {
	local applet
	cp "$2/bin/busybox" "$1/usr/bin/busybox"
	# one for another architecture does not run here; that of this machine has the same applets
	for applet in $("$2/bin/busybox" --list 2>/dev/null || busybox --list); do
		[ "$applet" = busybox ] || ln -s busybox "$1/usr/bin/$applet"
	done
}

# tree_add_programs TREE USERLAND CONTENTS KERNEL. A program of the lists replaces busybox's.
tree_add_programs() {
	local tree=$1 userland=$2 contents=$3 kernel=$4 program owner library
	while read -r _ program; do
		[ -f "$userland$program" ] ||
			fail "no package holds $program" "mend $contents/programs or programs.$kernel"
		rm -f "$tree/usr/bin/${program##*/}"
		cp -L "$userland$program" "$tree/usr/bin/${program##*/}"
		tree_add_libraries "$tree" "$userland" "$userland$program"
		while read -r owner _ library; do
			[ "$owner" != "$program" ] || tree_add_library "$tree" "$userland" "$library"
		done <"$contents/libraries"
	done < <(sed '/^#/d;/^$/d' "$contents/programs" "$contents/programs.$kernel")
	tree_add_library "$tree" "$userland" "$loader"
}

# tree_compile OUT SOURCE...: the same bytes from sources in whatever folder.
tree_compile() {
	"$compiler" -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror "${compile_words[@]}" -Wl,--build-id=none -s -o "$@" ||
		fail "could not compile ${1##*/}" "apt-get install gcc libc6-dev"
}

# tree_add_own TREE USERLAND NAME SOURCES...: a program of ours, linked to the packages' libraries.
tree_add_own() {
	local tree=$1 userland=$2 name=$3
	shift 3
	tree_compile "$tree/usr/bin/$name" "$@"
	tree_add_libraries "$tree" "$userland" "$tree/usr/bin/$name"
}

# tree_add_crypto TREE SOURCES: what partclone needs of libcrypto; first, so that Debian's is not taken.
tree_add_crypto() {
	tree_compile "$1/usr/lib/libcrypto.so.3" -shared -fPIC -Wl,-soname,libcrypto.so.3 \
		-Wl,--version-script="$2/versions" "$2"/*.c -l:libnettle.a
}

# tree_check_crypto TREE: all that any program of the tree calls in libcrypto is there.
tree_check_crypto() {
	local wanting
	# readelf fails on scripts, which call nothing
	wanting=$({ find "$1/usr/bin" "$1/usr/lib" -maxdepth 1 -type f -exec readelf --dyn-syms -W {} + 2>/dev/null || :; } |
		awk '$8 ~ /@@OPENSSL_/ { sub("@.*", "", $8); has[$8] = 1 }
			$7 == "UND" && $8 ~ /@OPENSSL_/ { sub("@.*", "", $8); wants[$8] = 1 }
			END { for (name in wants) if (!(name in has)) print name }' | sort | tr '\n' ' ')
	[ -z "$wanting" ] || fail "programs call what our libcrypto lacks: ${wanting% }" \
		"add it to packaging/fos/crypto, or leave that out and take Debian's libssl3"
}

# tree_add_libraries TREE USERLAND FILE: what FILE's ELF header asks for. Reading the header, not
# running ldd: the libraries that count are the packages', not this machine's.
tree_add_libraries() {
	local library
	for library in $(readelf -d "$3" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		tree_add_library "$1" "$2" "$library"
	done
}

tree_add_library() {
	local tree=$1 userland=$2 library=$3 file
	[ ! -e "$tree/usr/lib/$library" ] || return 0
	for file in "$userland"/{usr/,}lib/"$triplet"/"$library" "$userland"/lib{64,}/"$library"; do
		if [ -e "$file" ]; then
			cp -L "$file" "$tree/usr/lib/$library"
			tree_add_libraries "$tree" "$userland" "$file"
			return 0
		fi
	done
	fail "the packages hold no library $library" \
		"name its package in contents/programs or contents/libraries"
}

# tree_add_modules TREE KERNEL_ROOT LIST
tree_add_modules() {
	local tree=$1 kernel_root=$2 list=$3 source version entry file
	source=$(echo "$kernel_root"/lib/modules/*)
	version=${source##*/}
	[ -f "$source/modules.dep" ] || depmod -b "$kernel_root" "$version" ||
		fail "depmod failed for $kernel_root" "remove it and build again"
	mkdir -p "$tree/usr/lib/modules/$version"
	while read -r entry; do
		[ -e "$source/kernel/$entry" ] || continue
		find "$source/kernel/$entry" -name '*.ko' | sed "s|^$source/||"
	done < <(sed '/^#/d;/^$/d' "$list") | sort -u >"$tree/wanted"
	# modules.dep names, after the colon, all that a module needs, indirectly too.
	awk -v wanted="$tree/wanted" '
		BEGIN { while ((getline line < wanted) > 0) want[line ":"] = 1 }
		$1 in want { sub(":", "", $1); for (i = 1; i <= NF; i++) print $i }
	' "$source/modules.dep" | sort -u | while read -r file; do
		mkdir -p "$tree/usr/lib/modules/$version/${file%/*}"
		cp "$source/$file" "$tree/usr/lib/modules/$version/$file"
	done
	rm "$tree/wanted"
	cp "$source"/modules.{builtin,order} "$tree/usr/lib/modules/$version/"
	depmod -b "$tree/usr" "$version" 2>/dev/null || depmod -b "$tree" "$version"
	rm -f "$tree/usr/lib/modules/$version"/modules.{*.bin,softdep,devname,symbols,order}
}
