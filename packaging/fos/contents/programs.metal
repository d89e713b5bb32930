# Further programs for real machines: PACKAGE PATH, one a line. No job calls them yet: they are for
# hooks, and for the shell that rouse_debug opens.
fdisk      /sbin/sfdisk
partclone  /usr/sbin/partclone.restore
