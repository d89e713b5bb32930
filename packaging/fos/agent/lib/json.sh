# shellcheck shell=sh
# Writing JSON (RFC 8259) from shell values.

# json_string TEXT: quoted and escaped. Bytes outside ASCII become '?': firmware writes them in
# encodings of its own, and half a UTF-8 character would spoil the whole document.
json_string() {
	case $1 in
	*[!\ -~]* | *[\\\"]*)
		printf '%s' "$1" | tr '\200-\377' '?' | awk '
			BEGIN { for (i = 1; i < 32; i++) code[sprintf("%c", i)] = sprintf("\\u%04x", i) }
			NR > 1 { printf "\\n" }
			{
				for (i = 1; i <= length($0); i++) {
					c = substr($0, i, 1)
					if (c == "\\" || c == "\"") c = "\\" c
					else if (c in code) c = code[c]
					printf "%s", c
				}
			}
			BEGIN { printf "\"" }
			END { printf "\"" }'
		;;
	*) printf '"%s"' "$1" ;;
	esac
}

# json_members [NAME TYPE VALUE]...: "name":value, separated by commas. TYPE is s(tring), n(umber)
# or b(oolean: 0 or 1). Members without a value are left out; a number that is none, too.
json_members() {
	json_comma=
	while [ $# -gt 2 ]; do
		json_value=
		case $2:$3 in
		*:) ;;
		s:*) json_value=$(json_string "$3") ;;
		n:*) is_number "$3" && json_value=$3 ;;
		b:1) json_value=true ;;
		b:0) json_value=false ;;
		esac
		if [ -n "$json_value" ]; then
			printf '%s"%s":%s' "$json_comma" "$1" "$json_value"
			json_comma=,
		fi
		shift 3
	done
}

# json_array: lines of standard input, each a JSON value, as an array.
json_array() {
	awk '{ printf "%s%s", NR == 1 ? "[" : ",", $0 } END { printf NR ? "]" : "[]" }'
}
