#include "dhcpd/space.h"

#include "dhcpd/option.h"
#include "dhcpd/packet.h"

#define SNAME_AT 44
#define FILE_AT 108

struct space space_over(uint8_t *buffer, size_t size, size_t tail, uint8_t overload)
{
	struct space space = {.options = bytes_writer(buffer, size - tail)};

	/* each keeps an octet for its END */
	if (overload & SPACE_OVERLOAD_FILE)
		space.file = bytes_writer(buffer + FILE_AT, PACKET_FILE_SIZE - 1);
	if (overload & SPACE_OVERLOAD_SNAME)
		space.sname = bytes_writer(buffer + SNAME_AT, PACKET_SNAME_SIZE - 1);
	return space;
}

bool space_put(struct space *space, uint8_t code, const void *octets, size_t length)
{
	bool done = option_put(&space->options, code, octets, length) ||
		    option_put(&space->file, code, octets, length) ||
		    option_put(&space->sname, code, octets, length);

	space->left_out += !done;
	return done;
}

size_t space_overload_size(uint8_t overload)
{
	return overload == 0 ? 0 : 3;
}

static bool end_field(struct bytes_writer *field)
{
	if (field->length == 0)
		return false;
	field->size++;
	bytes_put_u8(field, OPTION_END);
	return true;
}

void space_open_tail(struct space *space, size_t tail)
{
	uint8_t used = 0;

	space->options.size += tail;
	if (end_field(&space->file))
		used |= SPACE_OVERLOAD_FILE;
	if (end_field(&space->sname))
		used |= SPACE_OVERLOAD_SNAME;
	if (used != 0 && !option_put_u8(&space->options, OPTION_OVERLOAD, used))
		space->left_out++;
}
