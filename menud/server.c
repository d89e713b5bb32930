#include <stdio.h>
#include <string.h>

#include "core/search.h"
#include "io/log.h"
#include "io/metrics_port.h"
#include "menud/answer.h"
#include "menud/api.h"
#include "menud/boot.h"
#include "menud/collect.h"
#include "menud/figures.h"
#include "menud/file.h"
#include "menud/first_stage.h"
#include "menud/fos.h"
#include "menud/installer.h"
#include "menud/listen.h"
#include "menud/login.h"
#include "menud/menud.h"
#include "menud/route.h"
#include "menud/upload.h"

static void answer_ready(struct menud *menud, struct http_request *request)
{
	char message[256];

	(void)snprintf(message, sizeof(message), "%s; database %s",
		       snapshot_is_loaded(menud->snapshot) ? "ready" : "no configuration yet",
		       db_is_up(menud->work) ? "connected" : "away");
	answer_line(request, snapshot_is_loaded(menud->snapshot) ? 200 : 503, message);
}

static void answer_method(struct http_request *request, const char *allowed)
{
	const struct http_header headers[] = {{"Allow", allowed}, {NULL, NULL}};

	http_answer_text(request, 405, "text/plain", "method not allowed\n", 19, headers);
}

/* As tftpd has it: a loader's configuration is made for the machine, and iPXE's first script
 * for whoever asks, unless a root has one; below raw/ the files are as they are. */
static void answer_name(struct menud *menud, struct http_request *request, const char *name)
{
	static const char raw[] = "raw/";
	struct search search;

	if (strncmp(name, raw, sizeof(raw) - 1) == 0)
		file_answer(menud, request, name + sizeof(raw) - 1);
	else if (search_parse(name, &search) && !file_exists(menud, name))
		boot_answer_config(menud, request, &search);
	else if (!first_stage_answer(menud, request, name))
		file_answer(menud, request, name);
}

static void on_request(void *data, struct http_request *request)
{
	struct menud *menud = data;
	struct route route = route_find(http_method(request), http_path(request));

	switch (route.to) {
	case ROUTE_BOOT:
		boot_answer(menud, request);
		break;
	case ROUTE_FILES:
	case ROUTE_LOADER:
		answer_name(menud, request, route.rest);
		break;
	case ROUTE_FOS:
		fos_answer(menud, request, route.rest);
		break;
	case ROUTE_ANSWERS:
		installer_answer(menud, request, route.rest);
		break;
	case ROUTE_FOS_IMAGE:
		if (strcmp(http_method(request), "PUT") == 0)
			upload_end(request);
		else
			fos_answer_image(menud, request, route.rest);
		break;
	case ROUTE_FOS_SCRIPT:
		fos_answer_script(menud, request, route.rest);
		break;
	case ROUTE_LOGIN:
		login_answer(menud->login, request, route.rest);
		break;
	case ROUTE_API:
		api_answer(menud, request, route.rest);
		break;
	case ROUTE_HEALTH:
		answer_line(request, 200, "alive");
		break;
	case ROUTE_READY:
		answer_ready(menud, request);
		break;
	case ROUTE_METRICS:
		metrics_answer(request, figures_write, menud);
		break;
	case ROUTE_METHOD:
		answer_method(request, route.rest);
		break;
	case ROUTE_UNKNOWN:
		answer_line(request, 404, "there is no such page; machines ask /boot?mac0=...");
		break;
	}
}

static bool on_head(void *data, struct http_request *request)
{
	struct route route = route_find(http_method(request), http_path(request));

	return route.to == ROUTE_FOS_IMAGE && upload_begin(data, request, route.rest);
}

static size_t on_body(void *data, struct http_request *request, const char *octets,
		      size_t length)
{
	(void)data;
	return upload_take(request, octets, length);
}

static void on_done(void *data, struct http_request *request, unsigned status, uint64_t sent)
{
	struct menud *menud = data;

	menud->answers[status / 100 < MENUD_STATUS_CLASSES ? status / 100 : 0]++;
	menud->sent_bytes += sent;
	log_debug("request", "method=%s path=%s status=%u bytes=%llu", http_method(request),
		  log_text(http_path(request)), status, (unsigned long long)sent);
	if (strncmp(http_path(request), "/files/", 7) == 0)
		file_record_done(menud, request, status, sent);
	else if (strcmp(http_method(request), "PUT") == 0)
		upload_done(request);
}

static void on_database_up(void *data)
{
	struct menud *menud = data;

	hello_now(menud->hello);
	login_on_up(menud->login);
	collect_now(menud->collect);
}

static const char *status_line(void *data)
{
	struct menud *menud = data;
	const struct site *site = snapshot_site(menud->snapshot);

	(void)snprintf(menud->status, sizeof(menud->status),
		       "serving port %u, %zu hosts, %zu menu entries, %llu events dropped",
		       menud->http ? http_port(menud->http) : 0, site->host_count,
		       site->menu_count, (unsigned long long)events_dropped(menud->events));
	return menud->status;
}

static const char *problem(void *data)
{
	struct menud *menud = data;

	return snapshot_problem(menud->snapshot);
}

static enum err open_http(struct menud *menud)
{
	struct http_options options = {
		.connections_max = (unsigned)menud->settings.connections_max,
		.body_max = (size_t)800 * 1024, /* an inventory of 256 KiB, each octet as %xx */
		.on_request = on_request,
		.on_head = on_head,
		.on_body = on_body,
		.on_done = on_done,
		.data = menud,
	};

	return listen_open(menud, &options);
}

enum err server_open_database(struct menud *menud)
{
	char saved[512];
	struct db_conn_options work = {.conninfo = menud->settings.database,
				       .program = "rouse-menud",
				       .on_up = on_database_up,
				       .data = menud};
	struct snapshot_options snapshot = {.conninfo = menud->settings.database,
					    .program = "rouse-menud-listen",
					    .parts = SNAPSHOT_MENU | SNAPSHOT_NETWORK |
						     SNAPSHOT_BOOT_FILES,
					    .saved_file = saved};
	struct hello_options hello = {.daemon = "menud",
				      .instance = menud->instance,
				      .version = ROUSE_VERSION,
				      .status = status_line,
				      .problem = problem,
				      .data = menud};
	enum err err;

	(void)snprintf(saved, sizeof(saved), "%s/menud.snapshot", menud->settings.state_dir);
	if (menud->settings.state_dir[0] == '\0')
		snapshot.saved_file = NULL;
	hello_instance(menud->instance, sizeof(menud->instance));
	err = db_open(&menud->loop, &work, &menud->work);
	if (err == ERR_OK)
		err = events_open(&menud->loop, menud->work, "menud", menud->instance,
				  &menud->events);
	if (err == ERR_OK)
		err = hello_open(&menud->loop, menud->work, &hello, &menud->hello);
	if (err == ERR_OK)
		err = login_open(&menud->loop, menud->work, &menud->login);
	if (err == ERR_OK)
		err = collect_open(menud, &menud->collect);
	if (err == ERR_OK)
		err = snapshot_open(&menud->loop, &snapshot, &menud->snapshot);
	return err;
}

enum err server_open(struct menud *menud)
{
	file_open_roots(menud);
	return open_http(menud);
}

void server_close(struct menud *menud)
{
	listen_close(menud);
	login_close(menud->login);
	collect_close(menud->collect);
	events_close(menud->events);
	hello_close(menud->hello);
	snapshot_close(menud->snapshot);
	db_close(menud->work);
	file_close_roots(menud);
}
