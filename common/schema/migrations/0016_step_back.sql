-- A foreign DHCP server that appears beside a running one: three answers in place of two.

insert into rouse_data.setting (name, value, "default", kind, choices, description)
select 'dhcp_step_back', case s.value when 'true' then 'never' else 'start' end, 'start', 'choice', '{start,always,never}',
	'when dhcpd in server mode makes way for another DHCP server on its segment, and only listens: start, if it was '
	|| 'there before; always, also if it comes later; never'
from rouse_data.setting s where s.name = 'dhcp_ignore_foreign';
delete from rouse_data.setting where name = 'dhcp_ignore_foreign';
