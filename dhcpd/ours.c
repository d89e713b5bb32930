#include "dhcpd/ours.h"

bool ours_hold(const struct ours *ours, uint32_t address)
{
	for (size_t i = 0; ours && i < ours->count; i++) {
		if (ours->addresses[i] == address)
			return true;
	}
	return false;
}
