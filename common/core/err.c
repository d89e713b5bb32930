#include "core/err.h"

const char *err_text(enum err err)
{
	switch (err) {
	case ERR_OK:
		return "no error";
	case ERR_SHORT:
		return "too short";
	case ERR_FORMAT:
		return "malformed";
	case ERR_RANGE:
		return "out of range";
	case ERR_SPACE:
		return "too long";
	case ERR_ABSENT:
		return "not found";
	case ERR_REFUSED:
		return "refused";
	case ERR_MEMORY:
		return "out of memory";
	case ERR_SYSTEM:
		return "system error";
	case ERR_AWAY:
		return "not reachable";
	}
	return "unknown error";
}
