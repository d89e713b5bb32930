# shellcheck shell=sh
# The kernel's command line, as data.

# cmdline_get NAME: the value of NAME=VALUE, empty when absent. The last one counts.
cmdline_get() {
	# tr, not word splitting: a '*' in the command line must not become file names.
	tr ' ' '\n' <"${FOS_PROC:-/proc}/cmdline" | sed -n "s/^$1=//p" | tail -n 1
}

# cmdline_has NAME: is NAME or NAME=VALUE (other than 0) there?
cmdline_has() {
	tr ' ' '\n' <"${FOS_PROC:-/proc}/cmdline" | grep -v "^$1=0$" | grep -q -E "^$1(=|$)"
}
