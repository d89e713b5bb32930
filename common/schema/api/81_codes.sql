-- The codes that a machine shows on its screen, in words.
--
-- iPXE's numbers are made of parts: eight bits of POSIX error, eleven that name the source file (three of them the
-- kind of code), five that tell apart the places in the file, and eight that the platform adds (a status of PXE, or of EFI).

create view rouse.codes as select system, code, meaning, advice from rouse_data.code order by system, code;
call rouse_data.describe('rouse.codes', 'Error codes of BIOS ROMs, UEFI and iPXE. rouse.explain_code() reads them as they are shown.', '{
	"system": "who shows it: BIOS, UEFI or iPXE",
	"code": "as on the screen, in small letters: e53 is PXE-E53; of iPXE''s without its last two digits, which are the platform''s",
	"meaning": "in words", "advice": "what to do"}');

create function rouse_data.ipxe_errno(number int) returns text
language sql immutable as $$
	select ('{E2BIG,EACCES,EADDRINUSE,EADDRNOTAVAIL,EAFNOSUPPORT,EAGAIN,EALREADY,EBADF,EBADMSG,EBUSY,ECANCELED,ECHILD,ECONNABORTED,'
		'ECONNREFUSED,ECONNRESET,EDEADLK,EDESTADDRREQ,EDOM,EDQUOT,EEXIST,EFAULT,EFBIG,EHOSTUNREACH,EIDRM,EILSEQ,EINPROGRESS,EINTR,'
		'EINVAL,EIO,EISCONN,EISDIR,ELOOP,EMFILE,EMLINK,EMSGSIZE,EMULTIHOP,ENAMETOOLONG,ENETDOWN,ENETRESET,ENETUNREACH,ENFILE,ENOBUFS,'
		'ENODATA,ENODEV,ENOENT,ENOEXEC,ENOLCK,ENOLINK,ENOMEM,ENOMSG,ENOPROTOOPT,ENOSPC,ENOSR,ENOSTR,ENOSYS,ENOTCONN,ENOTDIR,ENOTEMPTY,'
		'ENOTSOCK,ENOTSUP,ENOTTY,ENXIO,EOPNOTSUPP,EOVERFLOW,EPERM,EPIPE,EPROTO,EPROTONOSUPPORT,EPROTOTYPE,ERANGE,EROFS,ESPIPE,ESRCH,'
		'ESTALE,ETIME,ETIMEDOUT,ETXTBSY,EWOULDBLOCK,EXDEV}'::text[])[number]
$$;
comment on function rouse_data.ipxe_errno is 'The POSIX name of iPXE''s error number, which counts them in the order of the alphabet.';

create function rouse_data.ipxe_file(kind int, file int) returns text
language sql immutable as $$
	select coalesce(case kind
		when 1 then '{"2":"the start of a program","9":"opening a URL","11":"looking up a name","12":"the settings"}'::jsonb
		when 3 then '{"1":"ARP","2":"DHCP options","5":"IPv4","6":"IPv6","8":"the network device","10":"TCP","11":"FTP","12":"HTTP","13":"iSCSI",
			"14":"the choice of protocol","15":"UDP","16":"DHCP","17":"DNS","18":"TFTP","51":"NFS","55":"ARP","56":"sockets","59":"DHCPv6"}'::jsonb
		when 4 then '{"0":"the list of images","1":"an ELF image","2":"a script","3":"a part of an image","4":"an EFI image"}'::jsonb
		when 7 then '{"3":"autoboot","4":"DHCP","5":"the list of images","10":"an image command","13":"TLS","14":"the interfaces","15":"iSCSI",
			"22":"a certificate","23":"the login","42":"a signature","43":"the trust in an image","46":"the check of a certificate"}'::jsonb end ->> file::text,
		case kind when 1 then 'its core' when 2 then 'the card''s driver' when 3 then 'its network code' when 4 then 'its image code' else 'another part' end)
$$;
comment on function rouse_data.ipxe_file is 'The part of iPXE that an error number names, by kind of code and number of file.';

create function rouse_data.ipxe_platform(status int) returns text
language sql immutable as $$
	select concat_ws(', or ',
		'by PXE ' || ('{"1":"failure","3":"unsupported","6":"out of resources","17":"ARP timeout","50":"TFTP does not answer","53":"TFTP fell silent",
			"54":"TFTP error","59":"TFTP file not found","60":"TFTP access refused","81":"DHCP timeout","83":"no boot file name","97":"no link",
			"160":"cancelled by a key"}'::jsonb ->> status::text),
		'by UEFI ' || (('{"1":"load error","2":"invalid parameter","3":"unsupported","5":"buffer too small","6":"not ready","7":"device error",
			"9":"out of resources","12":"no media","14":"not found","15":"access denied","16":"no response","18":"timeout","21":"aborted",
			"22":"ICMP error","23":"TFTP error","24":"protocol error","26":"security violation: Secure Boot''s policy"}'::jsonb) ->> (status - 128)::text))
$$;
comment on function rouse_data.ipxe_platform is 'What the platform means by the last eight bits of iPXE''s number; empty if that is not known.';

create function rouse_data.explain_ipxe(digits text)
returns table (code text, system text, meaning text, advice text)
language sql stable as $$
	with part as (
		select ((n >> 24) & 255)::int as error, ((n >> 16) & 255)::int as file, ((n >> 13) & 7)::int as kind, ((n >> 8) & 31)::int as place, (n & 255)::int as status
		from (select ('x' || digits)::bit(32)::bigint as n) number
	)
	select digits, 'iPXE', coalesce(c.meaning || ' (', '') || concat_ws('; ',
			coalesce(rouse_data.ipxe_errno(p.error), case p.error when 127 then 'an error of the platform' else 'error ' || p.error end)
				|| ' in ' || rouse_data.ipxe_file(p.kind, p.file) || ', place ' || p.place,
			nullif(rouse_data.ipxe_platform(p.status), '')) || case when c.meaning is null then '' else ')' end,
		coalesce(c.advice, format('https://ipxe.org/%s has more.', digits))
	from part p left join rouse_data.code c on c.system = 'iPXE' and c.code = left(digits, 6)
$$;
comment on function rouse_data.explain_ipxe is 'An error number of iPXE, eight hexadecimal digits, taken apart.';

create function rouse.explain_code(shown text)
returns table (code text, system text, meaning text, advice text)
language plpgsql stable security definer set search_path = rouse_data, pg_catalog, pg_temp as $$
declare
	bare constant text := regexp_replace(lower(trim(shown)), '^(https?://ipxe\.org/|pxe-|0x)+', '');
begin
	if bare ~ '^[0-9a-f]{8}$' then
		return query select e.code, e.system, e.meaning, e.advice from rouse_data.explain_ipxe(bare) e;
		return;
	end if;
	return query select 'PXE-' || upper(c.code), c.system, c.meaning, c.advice from rouse_data.code c
	where c.system <> 'iPXE' and c.code = bare order by c.system;
	if not found then
		raise exception using errcode = '22023', message = format('"%s" is no code that is known', shown),
			detail = 'PXE ROMs and UEFI show such as PXE-E53, iPXE such as 4c106035.',
			hint = rouse_data.nearest(coalesce(bare, ''), array(select distinct 'PXE-' || upper(c.code) from rouse_data.code c where c.system <> 'iPXE'));
	end if;
end
$$;
comment on function rouse.explain_code is
	'What a code on a machine''s screen means: select * from rouse.explain_code(''PXE-E53''), or iPXE''s rouse.explain_code(''0x4c106035'').';
