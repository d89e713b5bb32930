# Further programs for real machines: PACKAGE PATH, one a line. File systems that grow only while
# they are mounted need them.
xfsprogs    /usr/sbin/xfs_growfs
btrfs-progs /bin/btrfs
