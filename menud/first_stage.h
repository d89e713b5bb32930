/*
 * first_stage - gives iPXE its first script: under the names default.ipxe and autoexec.ipxe,
 * and where it has asked for its own binary again (menud/loop.h).
 */
#ifndef ROUSE_MENUD_FIRST_STAGE_H
#define ROUSE_MENUD_FIRST_STAGE_H

#include "menud/menud.h"

/* `name` is the path below /files/. false: it is none of these, and not answered. */
bool first_stage_answer(struct menud *menud, struct http_request *request, const char *name);

#endif
