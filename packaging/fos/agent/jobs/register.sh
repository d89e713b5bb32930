# shellcheck shell=sh
# Job `register`: the machine makes itself known. Mode quick asks nothing; mode full asks for a name.

# shellcheck source=packaging/fos/agent/jobs/inventory.sh
. /rouse/jobs/inventory.sh

register_ask_name() {
	name=
	[ "$mode" = full ] || return 0
	screen_ask "Name of this machine (empty: the server makes one), within 120 s:" 120
	name=$(printf '%s' "$screen_reply" | text_clean)
}

register_send() {
	while :; do
		register_ask_name
		if ! client_call register token "$token" name "$name" mode "$mode"; then
			job_fail client_error "register: $client_error"
			return 1
		fi
		[ "$(answer_get answer)" = retry ] || break
		screen_say "$(answer_get message)"
		if [ "$mode" != full ]; then
			job_fail client_error "the server found no name: $(answer_get message)"
			return 1
		fi
	done
	job_check_answer
}

job_register() {
	register_send || return
	screen_say "Registered as $(answer_get host) ($(answer_get state))."
	inventory_send && job_succeed
}
