#include "db/offered.h"

#include <stdio.h>

#include "core/text.h"

void offered_take_reason(struct offered *offered, struct row *row, struct menu *menu)
{
	(void)snprintf(offered->message, sizeof(offered->message), "%s",
		       row_text(row, "reason"));
	menu->message = offered->message;
}

void offered_take_job(struct offered *offered, struct row *row, struct menu *menu)
{
	struct text expanded = text_into(offered->arguments, sizeof(offered->arguments));

	menu->kind = MENU_LINUX;
	menu->kernel = row_text(row, "kernel");
	menu->initrd = row_text(row, "initrd");
	menu->ticket = row_text(row, "ticket");
	menu_expand(menu, row_text(row, "arguments"), &expanded);
	menu->arguments = offered->arguments;
	(void)snprintf(offered->message, sizeof(offered->message), "job %s: %s on %s%s",
		       row_text(row, "job"), row_text(row, "kind"), row_text(row, "host"),
		       expanded.failed ? ": its kernel arguments are too long" : "");
	menu->message = offered->message;
	if (expanded.failed)
		menu->kind = MENU_REFUSE;
}
