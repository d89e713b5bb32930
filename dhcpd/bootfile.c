#include "dhcpd/bootfile.h"

#include <string.h>

#include "core/boot.h"
#include "core/text.h"

#define SCRIPT_FILE "default.ipxe"
#define MENUD_PORT 8080

static void say(struct bootfile *boot, const char *reason)
{
	struct text out = text_into(boot->reason, sizeof(boot->reason));

	text_put(&out, reason);
}

static uint32_t choose_next_server(const struct bootfile_question *question)
{
	uint32_t address;

	if (question->subnet->next_server != 0)
		return question->subnet->next_server;
	if (ip4_parse(site_setting(question->site, "next_server", ""), &address) == ERR_OK)
		return address;
	return question->server;
}

/* menud's first URL, for firmware that fetches by HTTP: it has no list to try. */
static void put_menud_url(struct text *out, const struct bootfile_question *question,
			  uint32_t next_server)
{
	const char *urls = question->subnet->menud_urls;
	char address[IP4_TEXT_SIZE];
	size_t length;

	if (!*urls)
		urls = site_setting(question->site, "menud_urls", "");
	length = strcspn(urls, " ");
	while (length > 0 && urls[length - 1] == '/')
		length--;
	if (length > 0) {
		text_put_bytes(out, urls, length);
		return;
	}
	ip4_format(next_server, address);
	text_printf(out, "http://%s:%d", address, MENUD_PORT);
}

static void answer_first_stage(const struct bootfile_question *question, struct bootfile *boot)
{
	const struct pxe_client *client = question->client;
	bool is_http = client->class == PXE_CLASS_HTTP;
	const char *product = question->host ? question->host->product : "";
	const struct site_boot_file *row =
		site_boot_file_for(question->site, client->arch_code, is_http, product);
	struct text name = text_into(boot->file, sizeof(boot->file));

	if (!row) {
		struct text why = text_into(boot->reason, sizeof(boot->reason));

		text_printf(&why,
			    "no boot file for architecture %u%s: insert one into "
			    "rouse.boot_files",
			    client->arch_code, is_http ? " by HTTP" : "");
		return;
	}
	if (is_http) {
		put_menud_url(&name, question, boot->next_server);
		text_put(&name, "/files/tftp/"); /* menud serves the same folders as tftpd */
		text_put_url_path(&name, row->file);
	} else {
		text_put(&name, row->file);
	}
	boot->is_answered = !name.failed;
	if (name.failed) {
		boot->file[0] = '\0';
		say(boot, "the boot file's name is longer than 255 octets: shorten it");
	}
}

static void answer_way_on(const struct bootfile_question *question, struct bootfile *boot)
{
	struct text name = text_into(boot->file, sizeof(boot->file));

	switch (question->client->class) {
	case PXE_CLASS_IPXE:
		text_put(&name, SCRIPT_FILE);
		boot->is_answered = true;
		break;
	case PXE_CLASS_UBOOT:
		/* it asks tftpd for pxelinux.cfg/01-MAC and needs no more than the server */
		boot->is_answered = true;
		break;
	default:
		/* a Raspberry Pi fetches files of its own names from the server */
		boot->is_answered = question->client->is_raspberry;
		if (!boot->is_answered)
			answer_first_stage(question, boot);
	}
}

static struct boot_verdict consult_rules(const struct bootfile_question *question)
{
	const struct host *host = question->host;
	struct boot_facts facts = {
		.stage = BOOT_STAGE_DHCP,
		.loader = question->client->class == PXE_CLASS_IPXE ? BOOT_LOADER_IPXE
								    : BOOT_LOADER_FIRMWARE,
		.host_state = host ? host->state : HOST_UNKNOWN,
		.job = host && host->has_live_job ? BOOT_JOB_LIVE : BOOT_JOB_NONE,
		.arch = question->client->arch,
		.host = host ? host->name : "",
		.product = host ? host->product : "",
	};

	return boot_decide(question->site->rules, question->site->rule_count, &facts);
}

void bootfile_choose(const struct bootfile_question *question, struct bootfile *ret_boot)
{
	struct boot_verdict verdict;

	ret_boot->is_answered = false;
	ret_boot->file[0] = '\0';
	ret_boot->next_server = choose_next_server(question);
	if (question->client->class == PXE_CLASS_OS) {
		say(ret_boot, "an operating system asks for no boot file");
		return;
	}
	verdict = consult_rules(question);
	say(ret_boot, verdict.reason);
	switch (verdict.answer) {
	case BOOT_NOTHING:
	case BOOT_LOCAL:
	case BOOT_REFUSE:
		break;
	case BOOT_FIRST_STAGE:
		/* even to iPXE, if a rule of the site's says so */
		if (question->client->class == PXE_CLASS_IPXE) {
			answer_first_stage(question, ret_boot);
			break;
		}
		/* fallthrough */
	default:
		/* script, menu, job, profile: menud gives those, this is the way to it */
		answer_way_on(question, ret_boot);
	}
}
