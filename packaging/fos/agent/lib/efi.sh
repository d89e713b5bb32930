# shellcheck shell=sh
# How UEFI firmware finds a system that was just written: its own memory knows nothing of it yet.

# What firmware of this machine starts, in the names of its files.
case $(uname -m) in
aarch64) efi_machine=aa64 ;;
*) efi_machine=x64 ;;
esac

# efi_loader EFI: the loader of a system below that folder (shim, else GRUB, else Windows'), or nothing.
efi_loader() {
	for loader in "shim$efi_machine.efi" "grub$efi_machine.efi" bootmgfw.efi; do
		found=$(find "$1" ! -ipath "$1/boot/*" -iname "$loader" | sed q)
		[ -z "$found" ] || break
	done
	echo "$found"
}

# efi_fallback EFI: without any boot entry, firmware looks for \EFI\BOOT\BOOTX64.EFI, or BOOTAA64.EFI.
efi_fallback() {
	[ -d "$1" ] && [ -z "$(find "$1" -ipath "$1/boot/boot$efi_machine.efi")" ] || return 0
	found=$(efi_loader "$1")
	[ -n "$found" ] || return 0
	mkdir -p "$1/BOOT"
	# a shim starts the GRUB that lies beside it
	cp "${found%/*}"/*.[eE][fF][iI] "$1/BOOT/"
	fallback=BOOT$(echo "$efi_machine" | tr a-z A-Z).EFI
	cp "$found" "$1/BOOT/$fallback"
	screen_say "The firmware finds ${found##*/} as EFI/BOOT/$fallback."
}

# efi_entry DISK PARTITION MOUNT: a boot entry with the name of the system's folder, as its own installer would
# make one. It comes behind the entry by which this machine has booted: whoever boots by the network first goes on
# doing so. Older entries of that name point to what was on the disk before.
efi_entry() {
	found=$(efi_loader "$3/EFI")
	[ -n "$found" ] || return 0
	efi_name=${found%/*}
	efi_name=${efi_name##*/}
	[ -e /sys/firmware/efi/efivars/BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c ] ||
		{ modprobe -q efivarfs && mount -t efivarfs efivarfs /sys/firmware/efi/efivars 2>/dev/null; }
	if efi_entry_make "$1" "$2" "$(echo "${found#"$3"}" | tr / '\\')" >"$run/efi.log" 2>&1; then
		screen_say "The firmware has a boot entry for $efi_name."
	else
		screen_say "The firmware takes no boot entry for $efi_name: $(tail -n 1 "$run/efi.log" | text_clean)"
	fi
}

# efi_entry_make DISK PARTITION LOADER
efi_entry_make() {
	for entry in $(efi_entries "$efi_name"); do
		efibootmgr -q -b "$entry" -B || return
	done
	efibootmgr -q -C -d "/dev/$1" -p "$2" -L "$efi_name" -l "$3" &&
		efibootmgr -q -o "$(efi_order "$(efi_entries "$efi_name")")"
}

# efi_entries NAME: the numbers of the entries of that name, of `Boot0003* NAME`.
efi_entries() {
	efibootmgr | awk -v name="$1" '/^Boot[0-9A-F][0-9A-F][0-9A-F][0-9A-F][* ] / && substr($0, 11) == name { print substr($0, 5, 4) }'
}

# efi_order ENTRY: the boot order with ENTRY behind the one by which this machine has booted, else at its end.
efi_order() {
	efibootmgr | awk -v entry="$1" '
		/^BootCurrent: / { current = $2 }
		/^BootOrder: / { count = split($2, order, ",") }
		END {
			for (i = 1; i <= count; i++) {
				if (order[i] == entry)
					continue
				said = said order[i] ","
				if (order[i] == current)
					said = said entry ","
			}
			if (index("," said, "," entry ",") == 0)
				said = said entry ","
			print substr(said, 1, length(said) - 1)
		}'
}
