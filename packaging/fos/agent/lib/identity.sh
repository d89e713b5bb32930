# shellcheck shell=sh
# Who this machine is: its network cards and what SMBIOS says of it.

# dmi_get NAME: a file of /sys/class/dmi/id, blanks at the ends removed. Makers' placeholders stay:
# the database knows them better.
dmi_get() {
	[ -r "${FOS_SYS:-/sys}/class/dmi/id/$1" ] || return 0
	sed 's/^[[:blank:]]*//;s/[[:blank:]]*$//;q' "${FOS_SYS:-/sys}/class/dmi/id/$1" | text_clean
}

identity_firmware_get() {
	if [ -d "${FOS_SYS:-/sys}/firmware/efi" ]; then
		echo efi
	else
		echo bios
	fi
}

# identity_fields: sets identity_*; identity_macs is "mac0 MAC mac1 MAC ...", the booted one first.
identity_fields() {
	identity_macs='' number=0
	for nic in $(network_nics); do
		[ "$number" -lt 8 ] || break
		identity_macs="$identity_macs mac$number $(cat "/sys/class/net/$nic/address")"
		number=$((number + 1))
	done
	identity_uuid=$(dmi_get product_uuid)
	identity_serial=$(dmi_get product_serial)
	identity_manufacturer=$(dmi_get sys_vendor)
	identity_product=$(dmi_get product_name)
	identity_firmware=$(identity_firmware_get)
}
