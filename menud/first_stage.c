#include "menud/first_stage.h"

#include "core/ipxe.h"
#include "core/text.h"
#include "io/log.h"
#include "menud/answer.h"
#include "menud/base_url.h"
#include "menud/file.h"
#include "menud/loop.h"

#define SCRIPT_SIZE 4096

/* It names the server as this client has reached it: no setting has to be right for that. */
static void send_script(struct http_request *request)
{
	static const struct http_header not_kept[] = {{"Cache-Control", "no-store"},
						      {NULL, NULL}};
	char url[BASE_URL_SIZE];
	char script[SCRIPT_SIZE];
	const char *urls[] = {url};
	const struct ipxe_first first = {.urls = urls, .url_count = 1};
	struct text out = text_into(script, sizeof(script));

	base_url_of(request, url);
	if (ipxe_render_first(&first, &out) != ERR_OK)
		answer_line(request, 500, "the script is too long");
	else
		http_answer_text(request, 200, "text/plain; charset=utf-8", out.start,
				 out.length, not_kept);
}

/* Firmware's HTTP names no MAC: the database knows its lease's address. */
static void record_loop(struct menud *menud, const struct http_request *request,
			const char *name)
{
	char address[IP_TEXT_SIZE];
	struct event event = {
		.stage = "script",
		.kind = "loop_broken",
		.address = http_peer(request),
		.name = name,
		.reason = "iPXE asked for its own binary: it got default.ipxe",
	};

	menud->loops_broken++;
	ip_format(&event.address, address);
	log_info("loop_broken", "client=%s file=%s remedy=%s", address, log_text(name),
		 log_text("let DHCP name /boot or default.ipxe to clients of user class iPXE"));
	events_push(menud->events, &event);
}

bool first_stage_answer(struct menud *menud, struct http_request *request, const char *name)
{
	const struct ip peer = http_peer(request);
	const struct loop_request asked = {
		.name = name,
		.agent = http_get_header(request, "User-Agent"),
		.as = http_field(request, "as"),
		.address = ip_v4(&peer),
		.is_on = menud->settings.loop_breaker,
	};

	switch (loop_judge(snapshot_site(menud->snapshot), &asked)) {
	case LOOP_NONE:
		return false;
	case LOOP_SCRIPT:
		if (file_exists(menud, name))
			return false;
		break;
	case LOOP_BROKEN:
		record_loop(menud, request, name);
		break;
	}
	send_script(request);
	return true;
}
