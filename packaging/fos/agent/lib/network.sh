# shellcheck shell=sh
# Drivers and the network: from bare buses to an address.

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

# network_wait_link NIC: switches need up to 35 s (spanning tree, negotiation). The kernel tells of
# a link only by netlink, which no shell hears, hence the short naps.
network_wait_link() {
	naps=0
	until [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = 1 ]; do
		[ "$naps" -ne 20 ] || screen_update "Waiting for a link on $1."
		[ "$naps" -lt "$2" ] || return 1
		naps=$((naps + 1))
		usleep 100000
	done
}

# network_try NIC NAPS: a link and an address on that card. udhcpc stays behind to renew the lease.
network_try() {
	ip link set "$1" up 2>/dev/null
	if ! network_wait_link "$1" "$2"; then
		screen_say "No link on $1. Is its cable plugged in?"
		return 1
	fi
	if ! udhcpc -i "$1" -n -t 5 -T 1 -A 1 -S -s /rouse/udhcpc >/dev/null 2>&1; then
		screen_say "No DHCP server answers on $1; trying on."
		return 1
	fi
	screen_say "Network: $1, $(ip -4 -o addr show dev "$1" | sed 's/.*inet \([^ ]*\).*/\1/')."
}

# network_up: does not return before there is an address. The booted card gets its 35 s, the others
# a short look each.
network_up() {
	while :; do
		naps=350
		for nic in $(network_nics); do
			network_try "$nic" "$naps" && return
			naps=30
		done
		if [ "$naps" -eq 350 ]; then
			screen_say "No network card found: this kernel may lack its driver (docs: fos.md)."
			sleep 5
		fi
		modules_load
	done
}
