-- Why a client system may give up a script, a test, a wipe or an installer.

insert into rouse_data.reason (code, retryable, meaning, hint) values
	('profile_missing', false, 'the profile is not there any more',
		'table rouse.profiles has those that are; select rouse.enqueue(host, ''install'', profile => ...) takes another.'),
	('script_failed', false, 'the script ended with another code than 0',
		'What it said last is in column text. Mend it, and give it as a new job: what a job is for does not change.'),
	('test_failed', false, 'the test found a fault', 'Column text says where; the machine needs a technician.'),
	('wipe_refused', false, 'the disk does not carry out this way of wiping',
		'Another way may do: table rouse.job_kinds has the modes, select rouse.wipe(host, ''full'') writes every block.');
