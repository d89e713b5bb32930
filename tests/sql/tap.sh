# shellcheck shell=bash
# Read by the tests of rouse-db: what prints TAP. Needs $said, a file for what programs say; counts in $number
# and $failures.
# shellcheck disable=SC2154

number=0 failures=0
result() {
	# result STATUS WHAT: one line of TAP; on failure what the program said, too.
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$said"
		failures=$((failures + 1))
	fi
}
works() { local what=$1; shift; "$@" >"$said" 2>&1; result $? "$what"; }
refuses() {
	# refuses WHAT PATTERN COMMAND...: it fails, and says so in these words.
	local what=$1 pattern=$2 status; shift 2
	"$@" >"$said" 2>&1 && status=1 || status=0
	# On one line: a remedy stands on the line below its trouble.
	tr '\n' ' ' <"$said" | grep -qE -- "$pattern" || status=1
	result $status "$what"
}
says() {
	local what=$1 pattern=$2; shift 2
	"$@" >"$said" 2>&1 && grep -qE -- "$pattern" "$said"
	result $? "$what"
}
