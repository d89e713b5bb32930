# shellcheck shell=sh
# Job `inventory`: what the machine is made of, as one JSON object.

inventory_disks() {
	for name in $(disk_list); do
		path=/sys/block/$name
		printf '{%s}\n' "$(json_members name s "$name" model s "$(sysfs_get "$path/device/model")" \
			serial s "$(sysfs_get "$path/serial" "$path/device/serial")" \
			size_bytes n "$(disk_size "$name")" \
			sector_size n "$(sysfs_get "$path/queue/logical_block_size")" \
			rotational b "$(sysfs_get "$path/queue/rotational")")"
	done | json_array
}

inventory_nics() {
	for nic in $(network_nics); do
		path=/sys/class/net/$nic
		printf '{%s}\n' "$(json_members name s "$nic" mac s "$(sysfs_get "$path/address")" \
			driver s "$(basename "$(readlink -f "$path/device/driver")")" \
			link b "$(sysfs_get "$path/carrier")")"
	done | json_array
}

# sysfs_get FILE...: the first that can be read, without blanks at the ends.
sysfs_get() {
	for file in "$@"; do
		sed 's/^[[:blank:]]*//;s/[[:blank:]]*$//;q' "$file" 2>/dev/null && return
	done
	return 0
}

inventory_json() {
	printf '{%s,"disks":%s,"nics":%s}' "$(json_members \
		manufacturer s "$(dmi_get sys_vendor)" product s "$(dmi_get product_name)" \
		serial s "$(dmi_get product_serial)" uuid s "$(dmi_get product_uuid)" \
		bios_vendor s "$(dmi_get bios_vendor)" bios_version s "$(dmi_get bios_version)" \
		bios_date s "$(dmi_get bios_date)" \
		board_product s "$(dmi_get board_name)" board_serial s "$(dmi_get board_serial)" \
		cpu_model s "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed q)" \
		cpu_count n "$(grep -c '^processor' /proc/cpuinfo)" \
		memory_bytes n "$(awk '$1 == "MemTotal:" { printf "%d", $2 * 1024 }' /proc/meminfo)" \
		firmware s "$(identity_firmware_get)")" "$(inventory_disks)" "$(inventory_nics)"
}

# inventory_send: status 1 when the job is over (outcome is set).
inventory_send() {
	if ! client_call inventory token "$token" json "$(inventory_json)"; then
		job_fail client_error "inventory: $client_error"
		return 1
	fi
	job_check_answer
}

job_inventory() {
	screen_say "Looking at the hardware."
	inventory_send && job_succeed
}
