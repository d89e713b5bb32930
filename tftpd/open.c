#include "tftpd/open.h"

#include <errno.h>
#include <string.h>

#include "tftpd/fold.h"
#include "tftpd/generate.h"
#include "tftpd/repair.h"

#define SCRIPT_SIZE 16384

static enum err make_script(const struct asked *asked, const struct resolve_client *client,
			    const struct resolve_verdict *verdict, struct source *ret_source)
{
	char buffer[SCRIPT_SIZE];
	struct text text = text_into(buffer, sizeof(buffer));
	enum err err = resolve_render(client, verdict, &text);

	if (err == ERR_OK)
		err = source_from_text(buffer, text.length, ret_source);
	if (err != ERR_OK) {
		log_error("script_failed", "file=%s reason=%s remedy=%s",
			  asked->resolved.path.name, err_text(err),
			  log_text("menud_urls must hold one to sixteen URLs"));
		asked_refuse(asked, PACKET_UNDEFINED,
			     "the script could not be made: see the log");
	}
	return err;
}

/* Where the client's loader ought to have asked. */
static enum err open_in_other_folder(struct asked *asked, struct source *ret_source,
				     const char **ret_reason)
{
	struct repair_paths others;

	if (!(asked->server->repairs >> REPAIR_FOLDER & 1))
		return ERR_ABSENT;
	repair_folders(backend_site(asked->server->backend), resolve_file(&asked->resolved),
		       &others);
	for (size_t i = 0; i < others.count; i++) {
		enum err err = source_open(&asked->server->roots, others.path[i], ret_source,
					   ret_reason);

		if (err == ERR_ABSENT)
			continue;
		asked->repaired |= 1U << REPAIR_FOLDER;
		memcpy(asked->served, others.path[i], sizeof(asked->served));
		return err;
	}
	return ERR_ABSENT;
}

static enum err open_in_other_case(struct asked *asked, struct source *ret_source,
				   const char **ret_reason)
{
	const struct source_roots *roots = &asked->server->roots;

	if (!(asked->server->repairs >> REPAIR_CASE & 1) ||
	    fold_find(&asked->server->folds, roots, resolve_file(&asked->resolved),
		      asked->served) != ERR_OK)
		return ERR_ABSENT;
	asked->repaired |= 1U << REPAIR_CASE;
	return source_open(roots, asked->served, ret_source, ret_reason);
}

/* The client's own version of the file, where the site has one. */
static enum err open_in_view(struct asked *asked, struct source *ret_source,
			     const char **ret_reason)
{
	struct resolve_client client = asked_client(asked);
	char views[RESOLVE_VIEWS][PATH_SIZE];
	char mac[MAC_TEXT_SIZE];
	size_t count = 0;

	if (asked->server->settings->client_views && !asked->resolved.is_raw)
		count = resolve_views(&client, asked->resolved.path.name, views);
	for (size_t i = 0; i < count; i++) {
		enum err err =
			source_open(&asked->server->roots, views[i], ret_source, ret_reason);

		if (err == ERR_ABSENT)
			continue;
		log_debug("view_served", "mac=%s file=%s", asked_mac(asked, mac),
			  log_text(views[i]));
		return err;
	}
	return ERR_ABSENT;
}

/* A file of a root. ERR_ABSENT is for the caller to answer, anything else is refused here. */
static enum err open_file(struct asked *asked, struct source *ret_source)
{
	const char *reason = "";
	enum err err = open_in_view(asked, ret_source, &reason);

	if (err == ERR_ABSENT)
		err = source_open(&asked->server->roots, resolve_file(&asked->resolved),
				  ret_source, &reason);
	if (err == ERR_ABSENT && resolve_is_of_site(backend_site(asked->server->backend),
						    resolve_file(&asked->resolved)))
		err = source_open(&asked->server->boot_roots, resolve_file(&asked->resolved),
				  ret_source, &reason);
	if (err == ERR_ABSENT)
		err = open_in_other_folder(asked, ret_source, &reason);
	if (err == ERR_ABSENT)
		err = open_in_other_case(asked, ret_source, &reason);

	if (err == ERR_REFUSED)
		asked_refuse(asked, PACKET_ACCESS, reason);
	if (err == ERR_SYSTEM) {
		log_error("file_failed", "file=%s reason=%s",
			  log_text(asked->resolved.path.name), log_text(strerror(errno)));
		asked_refuse(asked, PACKET_UNDEFINED,
			     "the server could not open it: see its log");
	}
	return err;
}

/* The policy first; then the site's own file; then what is made. */
static enum err open_script(struct asked *asked, struct source *ret_source)
{
	struct resolve_client client = asked_client(asked);
	struct resolve_verdict verdict = resolve_decide(&client);
	enum err err = ERR_ABSENT;

	if (verdict.answer == RESOLVE_FORBID) {
		asked_refuse(asked, PACKET_ACCESS, verdict.reason);
		return ERR_REFUSED;
	}
	if (verdict.answer == RESOLVE_ALLOW)
		err = open_file(asked, ret_source);
	return err == ERR_ABSENT ? make_script(asked, &client, &verdict, ret_source) : err;
}

/* Is there a file under the name that this search ends with? Then the site has its own way. */
static bool has_own_config(const struct asked *asked, const struct search *search)
{
	struct source source;
	const char *reason;

	if (source_open(&asked->server->roots, search->last, &source, &reason) != ERR_OK)
		return false;
	source_close(&source);
	return true;
}

/* The site's own file; else what is made for the machine. */
static enum err open_config(struct asked *asked, struct source *ret_source)
{
	struct generate_ask ask = {.datagram = asked->datagram,
				   .name = asked->resolved.path.name,
				   .client = asked_client(asked)};
	const char *reason = "no such file in any root, and none is made of that name";
	enum err err = open_file(asked, ret_source);

	if (err != ERR_ABSENT)
		return err;
	if (search_parse(ask.name, &ask.search) && !has_own_config(asked, &ask.search))
		err = generate_config(asked->server, &ask, ret_source, &reason);
	if (err == ERR_ABSENT)
		asked_refuse(asked, PACKET_NOT_FOUND, reason);
	else if (err == ERR_REFUSED)
		asked_refuse(asked, PACKET_ACCESS, reason);
	else if (err != ERR_OK && err != ERR_AWAY)
		asked_refuse(asked, PACKET_UNDEFINED,
			     "the configuration could not be made: see the log");
	return err;
}

enum err open_asked(struct asked *asked, struct source *ret_source)
{
	enum err err;

	if (asked->resolved.kind == RESOLVE_SCRIPT)
		return open_script(asked, ret_source);
	if (asked->resolved.kind == RESOLVE_CONFIG)
		return open_config(asked, ret_source);
	err = open_file(asked, ret_source);
	if (err == ERR_ABSENT)
		asked_refuse(asked, PACKET_NOT_FOUND, "no such file in any root");
	return err;
}
