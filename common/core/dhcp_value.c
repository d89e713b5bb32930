#include "core/dhcp_value.h"

#include <stdbool.h>
#include <string.h>

#include "core/bytes.h"
#include "core/hex.h"
#include "core/ip4.h"

#define WORD_SIZE 256
#define LABEL_MAX 63
#define NAME_MAX_OCTETS 255

/* The next word of a list; false at its end. ret_err tells of one that is too long or empty. */
static bool next_word(const char **at, char word[WORD_SIZE], enum err *err)
{
	size_t length = strcspn(*at, " ");

	if (**at == '\0' || *err != ERR_OK)
		return false;
	if (length == 0 || length >= WORD_SIZE) {
		*err = ERR_FORMAT;
		return false;
	}
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length;
	if (**at == ' ') {
		(*at)++;
		if (**at == '\0')
			*err = ERR_FORMAT;
	}
	return *err == ERR_OK;
}

static enum err put_address(struct bytes_writer *out, const char *word)
{
	uint32_t address;
	enum err err = ip4_parse(word, &address);

	if (err == ERR_OK)
		bytes_put_u32(out, address);
	return err;
}

/* Decimal, with a minus if `is_signed`; as many octets as the type has. */
static enum err put_number(struct bytes_writer *out, const char *word, size_t octets,
			   bool is_signed)
{
	bool is_negative = is_signed && *word == '-';
	uint64_t most = ((uint64_t)1 << (8 * octets)) - 1;
	uint64_t number = 0;

	if (is_signed)
		most = most / 2 + is_negative;
	word += is_negative;
	if (*word == '\0')
		return ERR_FORMAT;
	for (; *word; word++) {
		if (*word < '0' || *word > '9')
			return ERR_FORMAT;
		number = number * 10 + (uint64_t)(*word - '0');
		if (number > most)
			return ERR_RANGE;
	}
	if (is_negative)
		number = ~number + 1;
	for (size_t i = octets; i-- > 0;)
		bytes_put_u8(out, (uint8_t)(number >> (8 * i)));
	return ERR_OK;
}

/* Labels with their lengths and a root behind them (RFC 1035 section 3.1), not compressed. */
static enum err put_name(struct bytes_writer *out, const char *name)
{
	size_t before = out->length;

	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > LABEL_MAX)
			return ERR_FORMAT;
		bytes_put_u8(out, (uint8_t)length);
		bytes_put(out, name, length);
		name += length;
		name += *name == '.';
	}
	bytes_put_u8(out, 0);
	return out->length - before <= NAME_MAX_OCTETS ? ERR_OK : ERR_RANGE;
}

/* The prefix's length, and only those octets of the network that it covers (RFC 3442). */
static enum err put_destination(struct bytes_writer *out, const char *word)
{
	struct ip4_net net;
	enum err err = ip4_net_parse(word, &net);

	if (err != ERR_OK)
		return err;
	bytes_put_u8(out, net.prefix);
	for (unsigned i = 0; i < (net.prefix + 7U) / 8; i++)
		bytes_put_u8(out, (uint8_t)(net.address >> (24 - 8 * i)));
	return ERR_OK;
}

static enum err put_hex(struct bytes_writer *out, const char *value)
{
	size_t length = strlen(value);

	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		bytes_put(out, value + 1, length - 2);
		return ERR_OK;
	}
	while (*value) {
		int high = hex_value(value[0]);
		int low = high < 0 ? -1 : hex_value(value[1]);

		if (low < 0)
			return ERR_FORMAT;
		bytes_put_u8(out, (uint8_t)(high << 4 | low));
		value += 2;
		if (value[0] == ':' && value[1] != '\0')
			value++;
	}
	return ERR_OK;
}

/* One member of a list; members of pairs and routes come in two words. */
static enum err put_member(struct bytes_writer *out, const char *type, const char *word,
			   size_t position)
{
	if (strcmp(type, "addresses") == 0 || strcmp(type, "pairs") == 0)
		return put_address(out, word);
	if (strcmp(type, "u16s") == 0)
		return put_number(out, word, 2, false);
	if (strcmp(type, "names") == 0)
		return put_name(out, word);
	if (strcmp(type, "routes") == 0)
		return position % 2 == 0 ? put_destination(out, word) : put_address(out, word);
	return ERR_FORMAT;
}

static enum err put_list(struct bytes_writer *out, const char *type, const char *value)
{
	bool is_of_two = strcmp(type, "pairs") == 0 || strcmp(type, "routes") == 0;
	char word[WORD_SIZE];
	enum err err = ERR_OK;
	size_t count = 0;

	while (next_word(&value, word, &err))
		err = put_member(out, type, word, count++);
	if (err == ERR_OK && (count == 0 || (is_of_two && count % 2 != 0)))
		err = ERR_FORMAT;
	return err;
}

static enum err put_value(struct bytes_writer *out, const char *type, const char *value)
{
	if (strcmp(type, "address") == 0)
		return put_address(out, value);
	if (strcmp(type, "u8") == 0)
		return put_number(out, value, 1, false);
	if (strcmp(type, "u16") == 0)
		return put_number(out, value, 2, false);
	if (strcmp(type, "u32") == 0)
		return put_number(out, value, 4, false);
	if (strcmp(type, "i32") == 0)
		return put_number(out, value, 4, true);
	if (strcmp(type, "hex") == 0)
		return put_hex(out, value);
	if (strcmp(type, "text") == 0) {
		bytes_put(out, value, strlen(value));
		return *value ? ERR_OK : ERR_FORMAT;
	}
	if (strcmp(type, "flag") == 0) {
		bool is_true = strcmp(value, "true") == 0;

		bytes_put_u8(out, is_true);
		return is_true || strcmp(value, "false") == 0 ? ERR_OK : ERR_FORMAT;
	}
	return put_list(out, type, value);
}

enum err dhcp_value_encode(const char *type, const char *value, uint8_t *ret_octets,
			   size_t *ret_length)
{
	uint8_t octets[DHCP_VALUE_MAX];
	struct bytes_writer out = bytes_writer(octets, sizeof(octets));
	enum err err = put_value(&out, type, value);

	if (err != ERR_OK)
		return err;
	if (out.failed)
		return ERR_SPACE;
	if (out.length > 0)
		memcpy(ret_octets, octets, out.length);
	*ret_length = out.length;
	return ERR_OK;
}
