# Further programs for real machines: PACKAGE PATH, one a line. coreutils' sha256sum uses the CPU's
# SHA instructions, which emulated machines lack and busybox does not know. The rest no job calls
# yet: it is for hooks, and for the shell that rouse_debug opens.
coreutils  /usr/bin/sha256sum
fdisk      /sbin/sfdisk
dmidecode  /usr/sbin/dmidecode
partclone  /usr/sbin/partclone.restore
