-- What an administrator pastes into a DHCP server of another make, so that its clients boot by rouse: the
-- same first stages as dhcpd would name, from rouse.boot_files, and the script for those who run iPXE already.

create function rouse_data.snippet_server(subnet cidr) returns text
language plpgsql stable as $$
declare
	server text := coalesce((select host(s.next_server) from rouse_data.subnet s where s.subnet = snippet_server.subnet),
		nullif(rouse_data.setting_text('next_server'), ''));
begin
	if subnet is not null and not exists (select from rouse_data.subnet s where s.subnet = snippet_server.subnet) then
		raise exception using errcode = '42704', message = format('there is no subnet "%s"', subnet),
			detail = 'Its next_server is what the other DHCP server has to name.',
			hint = rouse_data.nearest(subnet::text, array(select s.subnet::text from rouse_data.subnet s));
	elsif server is null then
		raise exception using errcode = '55000', message = 'the address of tftpd is not known',
			detail = 'A DHCP server names the server of the boot file by its address.',
			hint = 'Say it: select rouse.setting(''next_server'', ''10.77.0.2''), or next_server in rouse.subnets.';
	end if;
	return server;
end
$$;
comment on function rouse_data.snippet_server is 'The address of tftpd that another DHCP server has to name, or an error.';

create function rouse_data.snippet_isc(server text) returns text
language sql stable as $$
	select concat_ws(e'\n', 'option arch code 93 = unsigned integer 16;', 'class "rouse" {',
		'	match if substring(option vendor-class-identifier, 0, 9) = "PXEClient";', format('	next-server %s;', server),
		'	if option user-class = "iPXE" {', '		filename "default.ipxe";',
		string_agg(format(e'\t} elsif option arch = %s:%s {\n\t\tfilename "%s";', lpad(to_hex(f.arch / 256), 2, '0'),
			lpad(to_hex(f.arch % 256), 2, '0'), f.file), e'\n' order by f.arch), '	}', '}')
	from rouse_data.boot_file f where not f.http and f.product is null
$$;
comment on function rouse_data.snippet_isc is 'For dhcpd.conf of ISC.';

create function rouse_data.snippet_kea(server text) returns text
language sql stable as $$
	-- The first class that has a boot file gives it: iPXE comes first.
	select '"client-classes": ' || jsonb_pretty(jsonb_build_array(jsonb_build_object('name', 'rouse-ipxe',
			'test', 'option[77].text == ''iPXE''', 'next-server', server, 'boot-file-name', 'default.ipxe'))
		|| jsonb_agg(jsonb_build_object('name', format('rouse-%s', f.arch), 'next-server', server, 'boot-file-name', f.file,
			'test', format('option[93].hex == 0x%s and not (option[77].text == ''iPXE'')', lpad(to_hex(f.arch), 4, '0'))) order by f.arch))
	from rouse_data.boot_file f where not f.http and f.product is null
$$;
comment on function rouse_data.snippet_kea is 'For kea-dhcp4.conf, within Dhcp4.';

create function rouse_data.snippet_dnsmasq(server text) returns text
language sql stable as $$
	select concat_ws(e'\n', 'dhcp-match=set:ipxe,175', 'dhcp-userclass=set:ipxe,iPXE',
		string_agg(format('dhcp-match=set:arch%s,option:client-arch,%s', f.arch, f.arch), e'\n' order by f.arch),
		string_agg(format('dhcp-boot=tag:!ipxe,tag:arch%s,%s,,%s', f.arch, f.file, server), e'\n' order by f.arch),
		format('dhcp-boot=tag:ipxe,default.ipxe,,%s', server))
	from rouse_data.boot_file f where not f.http and f.product is null
$$;
comment on function rouse_data.snippet_dnsmasq is 'For dnsmasq.conf.';

create function rouse_data.snippet_windows(server text) returns text
language sql stable as $$
	select concat_ws(e'\n', 'Add-DhcpServerv4Class -Name "iPXE" -Type User -Data "iPXE"',
		string_agg(format('Add-DhcpServerv4Class -Name "PXE %s" -Type Vendor -Data "PXEClient:Arch:%s"', f.arch, lpad(f.arch::text, 5, '0')), e'\n' order by f.arch),
		format('Set-DhcpServerv4OptionValue -OptionId 66 -Value "%s"', server),
		'Add-DhcpServerv4Policy -Name "iPXE" -Condition OR -UserClass EQ,"iPXE"',
		'Set-DhcpServerv4OptionValue -PolicyName "iPXE" -OptionId 67 -Value "default.ipxe"',
		string_agg(format(e'Add-DhcpServerv4Policy -Name "PXE %1$s" -Condition OR -VendorClass EQ,"PXE %1$s*"\n'
			'Set-DhcpServerv4OptionValue -PolicyName "PXE %1$s" -OptionId 67 -Value "%2$s"', f.arch, f.file), e'\n' order by f.arch))
	from rouse_data.boot_file f where not f.http and f.product is null
$$;
comment on function rouse_data.snippet_windows is 'For the PowerShell of a Windows server; policies are asked in the order of their making.';

create function rouse_data.snippet_mikrotik(server text) returns text
language sql stable as $$
	-- The commonest of them, UEFI on x64, is the network's own; the matchers are for the others. iPXE is not told
	-- apart here: tftpd gives it the script in the place of its own binary.
	select concat_ws(e'\n', format('/ip dhcp-server network set [find] next-server=%s boot-file-name=%s', server,
			(select f.file from rouse_data.boot_file f where not f.http and f.product is null and f.arch = 7)),
		string_agg(format(e'/ip dhcp-server option add name=rouse-%1$s code=67 value="s''%2$s''"\n'
			'/ip dhcp-server option sets add name=rouse-%1$s options=rouse-%1$s\n'
			'/ip dhcp-server matcher add name=rouse-%1$s code=93 value=0x%3$s option-set=rouse-%1$s',
			f.arch, f.file, lpad(to_hex(f.arch), 4, '0')), e'\n' order by f.arch) filter (where f.arch <> 7))
	from rouse_data.boot_file f where not f.http and f.product is null
$$;
comment on function rouse_data.snippet_mikrotik is 'For the terminal of RouterOS.';

create function rouse.dhcp_snippet(server text, subnet cidr default null) returns text
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
begin
	perform rouse_data.one_of('kind of DHCP server', coalesce(server, ''), '{isc,kea,dnsmasq,windows,mikrotik}');
	return case server
		when 'isc' then rouse_data.snippet_isc(rouse_data.snippet_server(subnet))
		when 'kea' then rouse_data.snippet_kea(rouse_data.snippet_server(subnet))
		when 'dnsmasq' then rouse_data.snippet_dnsmasq(rouse_data.snippet_server(subnet))
		when 'windows' then rouse_data.snippet_windows(rouse_data.snippet_server(subnet))
		when 'mikrotik' then rouse_data.snippet_mikrotik(rouse_data.snippet_server(subnet)) end;
end
$$;
comment on function rouse.dhcp_snippet is
	'The lines for a DHCP server that is not ours, so that its clients boot by rouse: select rouse.dhcp_snippet(''kea'').';
