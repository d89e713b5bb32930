# shellcheck shell=sh
# Drivers and the network: from bare buses to an address by which menud can be reached.
#
# A switch may let a port that has just got its link wait for 30 to 50 s before it forwards anything
# (spanning tree, IEEE 802.1D). The card that booted has passed that once, but its link went down when
# its driver took over. So it is asked for longer than that before others are tried; then all in turn,
# without end: a cable may be put in at any time.

# modules_load: loads the drivers that the hardware asks for. A driver may bring up a bus with
# further devices on it, so it goes on until nothing new turns up.
modules_load() {
	while :; do
		aliases=$(cat /sys/bus/*/devices/*/modalias 2>/dev/null | sort -u)
		[ "$aliases" != "$modules_seen" ] || return 0
		modules_seen=$aliases
		printf '%s\n' "$aliases" | xargs modprobe -qa 2>/dev/null
	done
}

# network_boot_mac: the MAC that BOOTIF names ("01-52-54-00-00-00-01"), in the kernel's spelling.
network_boot_mac() {
	cmdline_get BOOTIF | tr 'A-F-' 'a-f:' | sed -n 's/^[0-9a-f][0-9a-f]://p'
}

# network_nics: the real Ethernet cards, one a line, the one that booted first.
network_nics() {
	boot_mac=$(network_boot_mac)
	for path in "${FOS_SYS:-/sys}"/class/net/*; do
		[ -e "$path/device" ] && [ "$(cat "$path/type")" = 1 ] || continue
		case $(cat "$path/address") in
		"$boot_mac") printf '0 %s\n' "${path##*/}" ;;
		*) printf '1 %s\n' "${path##*/}" ;;
		esac
	done | sort | cut -d' ' -f2
}

# network_boot_nic: the card that booted; empty when BOOTIF names none that is here.
network_boot_nic() {
	nic=$(network_nics | sed q)
	[ -z "$nic" ] || [ "$(cat "${FOS_SYS:-/sys}/class/net/$nic/address")" != "$(network_boot_mac)" ] ||
		echo "$nic"
}

# network_find_boot_nic: the same, in $boot_nic. One on USB turns up a while after its bus.
network_find_boot_nic() {
	naps=0
	boot_nic=$(network_boot_nic)
	while [ -z "$boot_nic" ] && [ -n "$(network_boot_mac)" ] && [ "$naps" -lt 25 ]; do
		naps=$((naps + 1))
		usleep 200000
		modules_load
		boot_nic=$(network_boot_nic)
	done
}

network_has_link() {
	read -r carrier <"${FOS_SYS:-/sys}/class/net/$1/carrier" && [ "$carrier" = 1 ]
} 2>/dev/null

# network_has_other NIC: is there a link on another card, too?
network_has_other() {
	for other in $(network_nics); do
		[ "$other" = "$1" ] || ! network_has_link "$other" || return 0
	done
	return 1
}

# network_tell NIC TEXT: what is the matter with a card. It stays on the screen; the same again does not.
network_tell() {
	if [ "$(cat "$run/told.$1" 2>/dev/null)" = "$2" ]; then
		screen_update "$2"
	else
		printf '%s' "$2" >"$run/told.$1"
		screen_say "$2"
	fi
}

# network_wait_link NIC SECONDS. The kernel tells of a link only by netlink, which no shell hears,
# hence the short naps.
network_wait_link() {
	naps=0
	until network_has_link "$1"; do
		[ "$naps" -ne 20 ] || screen_update "Waiting for a link on $1."
		[ "$naps" -lt $(($2 * 10)) ] || return 1
		naps=$((naps + 1))
		usleep 100000
	done
}

# network_ask NIC SECONDS: an address from a DHCP server, as long as the link lasts. udhcpc asks five
# times, a second apart, and stays behind to renew the lease.
network_ask() {
	asked_since=$(now)
	until udhcpc -i "$1" -p "$run/udhcpc.$1" -n -t 5 -T 1 -S -s /rouse/udhcpc >/dev/null 2>&1; do
		asked=$(($(now) - asked_since))
		network_has_link "$1" && [ "$asked" -lt "$2" ] || return 1
		screen_update "No DHCP server has answered on $1 for $asked s; a switch may take 50 s to let a new link through."
	done
}

# network_leave NIC: its address is given up, so that the next card's is used.
network_leave() {
	read -r pid <"$run/udhcpc.$1" && kill "$pid"
	ip -4 addr flush dev "$1"
} 2>/dev/null

# network_reaches: does whatever rouse_url names answer? Any status does.
network_reaches() {
	fos-http "$run/reach" get "$url/healthz" 0 </dev/null >/dev/null
	[ $? -ne 2 ]
}

# network_try NIC LINK_SECONDS DHCP_SECONDS: a link, an address and, where there is a choice, menud.
network_try() {
	if ! network_wait_link "$1" "$2"; then
		network_tell "$1" "No link on $1. Is its cable plugged in, and the switch's port on?"
		return 1
	fi
	if ! network_ask "$1" "$3"; then
		network_tell "$1" "No DHCP server answers on $1. Is it plugged into the right network?"
		return 1
	fi
	if network_has_other "$1" && ! network_reaches; then
		network_leave "$1"
		network_tell "$1" "The server cannot be reached by $1 ($(answer_get error "$run/reach")). Trying another card."
		return 1
	fi
	screen_say "Network: $1, $(ip -4 -o addr show dev "$1" | sed 's/.*inet \([^ ]*\).*/\1/')."
}

# network_driverless: the PCI network cards (class 02) that no driver has taken, one a line.
network_driverless() {
	for path in "${FOS_SYS:-/sys}"/bus/pci/devices/*; do
		case $(cat "$path/class" 2>/dev/null) in
		0x02*) [ -e "$path/driver" ] || echo "${path##*/} ($(sed 's/^0x//' "$path/vendor"):$(
			sed 's/^0x//' "$path/device"))" ;;
		esac
	done
}

# firmware_missing: the files that drivers have asked for in vain, as the kernel's log names them.
firmware_missing() {
	dmesg | sed -n 's/.*irmware load for \([^ ]*\) failed.*/\1/p;s/.*irmware: failed to load \([^ ]*\).*/\1/p' | sort -u
}

# network_explain: what is wrong with this machine, or with this FOS; said once.
network_explain() {
	[ -z "$network_is_explained" ] || return 0
	network_is_explained=1
	lost=$(network_driverless)
	[ -z "$lost" ] || screen_fail "This FOS has no driver for the network card $(printf '%s' "$lost" | tr '\n' ',')." \
		"Build it by --kernel metal, or name the driver in contents/modules.* (fos.md)."
	lost=$(firmware_missing)
	[ -z "$lost" ] || screen_fail "Drivers asked for firmware that this FOS lacks: $(printf '%s' "$lost" | tr '\n' ',')." \
		"Build it with the packages that have these files (fos.md)."
	if [ -z "$(network_nics)" ]; then
		screen_fail "This machine has no network card that works." "Plug one in, or mend the above; it is looked for all the time."
	else
		screen_fail "There is no network after $(now) s." \
			"Look at the cable, the switch's port and the DHCP server; this machine goes on trying."
	fi
}

network_links_up() {
	for nic in $(network_nics); do
		ip link set "$nic" up 2>/dev/null
	done
}

# network_up: does not return before there is an address by which menud can be reached.
network_up() {
	network_is_explained=
	network_find_boot_nic
	# all at once: their negotiations and their switches' waits pass side by side
	network_links_up
	if [ -n "$boot_nic" ]; then
		network_try "$boot_nic" 35 60 && return
	elif [ -n "$(network_boot_mac)" ]; then
		screen_say "No card here has the MAC that booted, $(network_boot_mac); trying those that are here."
	fi
	while :; do
		for nic in $(network_nics); do
			network_try "$nic" 3 5 && return
		done
		network_explain
		[ -n "$(network_nics)" ] || sleep 3
		modules_load
		network_links_up
	done
}
