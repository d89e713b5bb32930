#include "tftpd/netascii.h"

size_t netascii_decode(struct netascii *state, const uint8_t *in, size_t length, uint8_t *out)
{
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		if (state->is_behind_cr) {
			state->is_behind_cr = false;
			if (in[i] != '\n')
				out[written++] = '\r';
			if (in[i] == '\0')
				continue;
		}
		if (in[i] == '\r')
			state->is_behind_cr = true;
		else
			out[written++] = in[i];
	}
	return written;
}

size_t netascii_end(struct netascii *state, uint8_t *out)
{
	if (!state->is_behind_cr)
		return 0;
	state->is_behind_cr = false;
	out[0] = '\r';
	return 1;
}
