# shellcheck shell=sh
# Job `inventory`: what the machine is made of, as one JSON object. What changes by itself stands
# below "health": the database keeps the latest of it, and makes no new version for it.

# sysfs_get FILE...: the first that can be read, without blanks at the ends.
sysfs_get() {
	for file in "$@"; do
		[ -r "$file" ] || continue
		sed 's/^[[:blank:]]*//;s/[[:blank:]]*$//;q' "$file" 2>/dev/null && return
	done
	return 0
}

# driver_of PATH: the driver's name, empty when there is none.
driver_of() {
	[ ! -e "$1/driver" ] || basename "$(readlink -f "$1/driver")"
}

# transport_of NAME: what a disk hangs on, as its place in /sys tells.
transport_of() {
	case $(readlink -f "${FOS_SYS:-/sys}/block/$1") in
	*/usb[0-9]*) echo usb ;;
	*/nvme*) echo nvme ;;
	*/mmc_host/*) echo mmc ;;
	*/virtio*) echo virtio ;;
	*/ata[0-9]*) echo ata ;;
	*/target*) echo scsi ;;
	esac
}

# serial_of PATH: of a disk; of a SATA or SCSI one, page 80h of its vital product data (SPC-4, 7.8.13).
serial_of() {
	found=$(sysfs_get "$1/serial" "$1/device/serial")
	[ -n "$found" ] || found=$(tail -c +5 "$1/device/vpd_pg80" 2>/dev/null | text_clean | sed 's/^ *//')
	printf '%s' "$found"
}

inventory_disks() {
	for name in $(disk_list); do
		path=${FOS_SYS:-/sys}/block/$name
		fos-disk info "/dev/$name" >"$run/disk.$name" 2>/dev/null
		printf '{%s}\n' "$(json_members name s "$name" model s "$(sysfs_get "$path/device/model")" \
			serial s "$(serial_of "$path")" \
			wwn s "$(sysfs_get "$path/wwid" "$path/device/wwid")" \
			firmware s "$(answer_get firmware "$run/disk.$name")" \
			transport s "$(transport_of "$name")" \
			size_bytes n "$(disk_size "$name")" \
			sector_size n "$(sysfs_get "$path/queue/logical_block_size")" \
			physical_sector_size n "$(sysfs_get "$path/queue/physical_block_size")" \
			rotational b "$(sysfs_get "$path/queue/rotational")" \
			removable b "$(sysfs_get "$path/removable")")"
	done | json_array
}

# inventory_disk_health: after inventory_disks, which has asked the disks.
inventory_disk_health() {
	for name in $(disk_list); do
		from=$run/disk.$name
		grep -q -v '^firmware=' "$from" || continue
		printf '{%s}\n' "$(json_members name s "$name" smart s "$(answer_get smart "$from")" \
			hours n "$(answer_get hours "$from")" cycles n "$(answer_get cycles "$from")" \
			temperature_celsius n "$(answer_get temperature_celsius "$from")" \
			percent_used n "$(answer_get percent_used "$from")" \
			reallocated n "$(answer_get reallocated "$from")" \
			pending n "$(answer_get pending "$from")" \
			media_errors n "$(answer_get media_errors "$from")")"
	done | json_array
}

inventory_nics() {
	for nic in $(network_nics); do
		path=${FOS_SYS:-/sys}/class/net/$nic
		printf '{%s}\n' "$(json_members name s "$nic" mac s "$(sysfs_get "$path/address")" \
			driver s "$(driver_of "$path/device")" \
			vendor s "$(sysfs_get "$path/device/vendor")" \
			device s "$(sysfs_get "$path/device/device")" \
			link b "$(sysfs_get "$path/carrier")")"
	done | json_array
}

# inventory_gpus: PCI class 03, by the numbers that lspci's list gives names to.
inventory_gpus() {
	for path in "${FOS_SYS:-/sys}"/bus/pci/devices/*; do
		case $(sysfs_get "$path/class") in
		0x03*) printf '{%s}\n' "$(json_members address s "${path##*/}" \
			vendor s "$(sysfs_get "$path/vendor")" device s "$(sysfs_get "$path/device")" \
			driver s "$(driver_of "$path")")" ;;
		esac
	done | json_array
}

# memory_lines: dmidecode's memory devices (SMBIOS type 17), one a line:
# slot|bytes|type|speed|manufacturer|part|serial. Empty slots are left out.
memory_lines() {
	awk -F': ' '
		function flush() {
			if (slot != "" && bytes > 0)
				print slot "|" bytes "|" type "|" speed "|" maker "|" part "|" serial
			slot = type = speed = maker = part = serial = ""; bytes = 0
		}
		/^Memory Device/ { flush() }
		{ sub(/^[ \t]+/, "", $1); gsub(/\|/, "/", $2); sub(/ +$/, "", $2) }
		$2 ~ /^(Unknown|Not Specified|None)$/ { next }
		$1 == "Size" {
			split($2, size, " ")
			bytes = size[1] * (size[2] == "GB" ? 1024 * 1024 * 1024 : size[2] == "MB" ? 1024 * 1024 : 1024)
			bytes = sprintf("%.0f", bytes)
		}
		$1 == "Locator" { slot = $2 }
		$1 == "Type" { type = $2 }
		$1 == "Speed" { speed = $2 }
		$1 == "Manufacturer" { maker = $2 }
		$1 == "Part Number" { part = $2 }
		$1 == "Serial Number" { serial = $2 }
		END { flush() }'
}

inventory_memory() {
	dmidecode -q -t 17 2>/dev/null | memory_lines | while IFS='|' read -r slot bytes type speed maker part serial; do
		printf '{%s}\n' "$(json_members slot s "$slot" size_bytes n "$bytes" type s "$type" speed s "$speed" \
			manufacturer s "$maker" part s "$part" serial s "$serial")"
	done | json_array
}

# secure_boot: enabled, disabled, setup (keys may be changed), or nothing where there is none. The
# variable's value is behind four bytes of attributes (UEFI specification, 3.3).
secure_boot() {
	vars=${FOS_SYS:-/sys}/firmware/efi/efivars
	[ -d "$vars" ] || return 0
	[ -e "$vars/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c" ] ||
		{ modprobe -q efivarfs && mount -t efivarfs efivarfs "$vars"; } 2>/dev/null
	case $(efi_byte SecureBoot):$(efi_byte SetupMode) in
	1:*) echo enabled ;;
	*:1) echo setup ;;
	0:*) echo disabled ;;
	esac
}

efi_byte() {
	# efivarfs cannot seek: od would skip nothing
	tail -c +5 "$vars/$1-8be4df61-93ca-11d2-aa0d-00e098032b8c" 2>/dev/null | od -An -tu1 | tr -d ' '
}

# cpu_count_of FIELD: how many different values that field of /proc/cpuinfo has.
cpu_count_of() {
	sed -n "s/^$1[^:]*: //p" "${FOS_PROC:-/proc}/cpuinfo" | sort -u | grep -c .
}

inventory_machine() {
	json_members \
		manufacturer s "$(dmi_get sys_vendor)" product s "$(dmi_get product_name)" \
		serial s "$(dmi_get product_serial)" uuid s "$(dmi_get product_uuid)" \
		family s "$(dmi_get product_family)" sku s "$(dmi_get product_sku)" \
		chassis_type s "$(dmi_get chassis_type)" asset_tag s "$(dmi_get chassis_asset_tag)" \
		bios_vendor s "$(dmi_get bios_vendor)" bios_version s "$(dmi_get bios_version)" \
		bios_date s "$(dmi_get bios_date)" \
		board_manufacturer s "$(dmi_get board_vendor)" board_product s "$(dmi_get board_name)" \
		board_version s "$(dmi_get board_version)" board_serial s "$(dmi_get board_serial)" \
		cpu_model s "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed q)" \
		cpu_count n "$(grep -c '^processor' /proc/cpuinfo)" \
		cpu_sockets n "$(cpu_count_of 'physical id')" \
		memory_bytes n "$(awk '$1 == "MemTotal:" { printf "%d", $2 * 1024 }' /proc/meminfo)" \
		firmware s "$(identity_firmware_get)" secure_boot s "$(secure_boot)" \
		tpm s "$(sysfs_get /sys/class/tpm/tpm0/tpm_version_major)"
}

inventory_json() {
	printf '{%s,"memory_modules":%s,"disks":%s,"nics":%s,"gpus":%s' "$(inventory_machine)" \
		"$(inventory_memory)" "$(inventory_disks)" "$(inventory_nics)" "$(inventory_gpus)"
	printf ',"health":{"disks":%s}}' "$(inventory_disk_health)"
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
