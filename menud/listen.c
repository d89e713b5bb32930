#include "menud/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "io/conf.h"
#include "io/log.h"
#include "io/notify.h"
#include "io/tls_files.h"

static bool wants_tls(const struct menud_settings *settings)
{
	return settings->tls_certificate[0] != '\0';
}

enum err listen_check(const struct menud_settings *settings)
{
	struct ip address;

	if (ip_parse(settings->listen, &address) != ERR_OK)
		return conf_refuse(
			"listen", settings->listen,
			"an address of this host, 0.0.0.0 for all of IPv4, or :: for "
			"all of IPv6 and IPv4");
	if (wants_tls(settings) != (settings->tls_key[0] != '\0'))
		return conf_refuse(wants_tls(settings) ? "tls_key" : "tls_certificate", "",
				   "set both tls_certificate and tls_key, or neither");
	return ERR_OK;
}

/* Each connection may send a file; systemd's and the shells' usual limit is 1,024. */
static void raise_descriptor_limit(const struct menud *menud)
{
	rlim_t ports = wants_tls(&menud->settings) ? 2 : 1;
	rlim_t wanted = (rlim_t)menud->settings.connections_max * ports * 2 + 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
		limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted)
			return;
		log_warning("few_descriptors", "limit=%llu wanted=%llu remedy=%s",
			    (unsigned long long)limit.rlim_cur, (unsigned long long)wanted,
			    log_text("raise LimitNOFILE= of the unit, or lower the key "
				     "connections_max"));
	}
}

static enum err open_port(struct menud *menud, const struct http_options *options,
			  struct http **ret_server)
{
	bool is_tls = options->certificate != NULL;
	enum err err = http_open(&menud->loop, options, ret_server);

	/* ERR_REFUSED has told its own story */
	if (err != ERR_OK && err != ERR_REFUSED)
		log_error("cannot_listen", "address=%s port=%u reason=%s remedy=%s",
			  log_text(menud->settings.listen), options->port,
			  log_text(err == ERR_SYSTEM ? strerror(errno) : err_text(err)),
			  is_tls ? "\"see who holds the port with `ss -ltnp`, or set the key "
				   "tls_port\""
				 : "\"see who holds the port with `ss -ltnp`, or set the key "
				   "port\"");
	return err;
}

static void keep_certificate(struct menud *menud, struct tls_files *files)
{
	free(menud->certificate);
	menud->certificate = files->certificate;
	files->certificate = NULL;
}

static enum err open_tls(struct menud *menud, const struct http_options *shared)
{
	struct http_options options = *shared;
	struct tls_files files;
	enum err err = tls_files_read(menud->settings.tls_certificate, menud->settings.tls_key,
				      &files);

	if (err != ERR_OK)
		return err;
	options.port = (uint16_t)menud->settings.tls_port;
	options.activated = notify_socket("https");
	options.certificate = files.certificate;
	options.key = files.key;
	err = open_port(menud, &options, &menud->https);
	keep_certificate(menud, &files);
	tls_files_free(&files);
	return err;
}

void listen_renew(struct menud *menud)
{
	struct tls_files files;
	int saved = 0;
	enum err err;

	if (!menud->https)
		return;
	err = tls_files_read(menud->settings.tls_certificate, menud->settings.tls_key, &files);
	if (err == ERR_OK && strcmp(files.certificate, menud->certificate) == 0) {
		tls_files_free(&files);
		return;
	}
	if (err == ERR_OK) {
		err = http_renew(&menud->https, files.certificate, files.key);
		saved = errno;
		if (err == ERR_OK)
			keep_certificate(menud, &files);
		tls_files_free(&files);
	}
	if (err == ERR_OK)
		log_info("tls_renewed", "file=%s", log_text(menud->settings.tls_certificate));
	else
		log_error(
			"tls_not_renewed", "reason=%s remedy=%s",
			log_text(err == ERR_SYSTEM && saved ? strerror(saved) : err_text(err)),
			log_text("see the message before this one, mend it and reload; the "
				 "certificate of before stays in force"));
}

enum err listen_open(struct menud *menud, const struct http_options *options)
{
	struct http_options mine = *options;
	enum err err = ip_parse(menud->settings.listen, &mine.address);

	if (err != ERR_OK)
		return err; /* listen_check() has told */
	mine.both = strcmp(menud->settings.listen, "::") == 0;
	mine.reuse_port = true;
	mine.port = (uint16_t)menud->settings.port;
	mine.activated = notify_socket("http");
	raise_descriptor_limit(menud);
	err = open_port(menud, &mine, &menud->http);
	if (err == ERR_OK && wants_tls(&menud->settings))
		err = open_tls(menud, &mine);
	return err;
}

void listen_close(struct menud *menud)
{
	http_close(menud->http);
	http_close(menud->https);
	free(menud->certificate);
	menud->certificate = NULL;
}
