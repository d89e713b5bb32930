# shellcheck shell=sh
# menud's answers, and fos-http's reports: key=value lines. They are data: read, never evaluated.

# answer_get KEY [FILE]: the first value of KEY in FILE ($run/answer); empty when absent.
answer_get() {
	[ -r "${2:-$run/answer}" ] || return 0
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		"$1="*)
			printf '%s' "${line#*=}"
			return
			;;
		esac
	done <"${2:-$run/answer}"
}

# is_number TEXT: 1 to 18 decimal digits, which the shell's arithmetic can hold.
is_number() {
	case $1 in
	'' | *[!0-9]* | ???????????????????*) return 1 ;;
	esac
}

# number_or DEFAULT TEXT
number_or() {
	if is_number "$2"; then
		printf '%s' "$2"
	else
		printf '%s' "$1"
	fi
}

# text_clean: standard input as a field of at most 1,000 printable ASCII characters.
text_clean() {
	tr '\n\t\200-\377' '  ?' | tr -d '\000-\037\177' |
		sed 's/^\(.\{1000\}\).*/\1/;s/ *$//'
}
