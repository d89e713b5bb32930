/*
 * installer - what an operating system's installer asks of us: its answers, by the ticket in
 * its kernel's arguments, and at its end the word that it is done. By GET, for that is what
 * every installer can do.
 */
#ifndef ROUSE_MENUD_INSTALLER_H
#define ROUSE_MENUD_INSTALLER_H

#include "menud/menud.h"

/* GET /answers/TICKET, /answers/TICKET/done; `rest` is what follows /answers/. 403 when the
 * ticket is not, or no longer, an installer's. */
void installer_answer(struct menud *menud, struct http_request *request, const char *rest);

#endif
