# Debian packages of firmware for network cards and disk controllers, one a line; all but the first are in
# non-free-firmware. Of each only the files come in that an included driver names.
firmware-linux-free
firmware-misc-nonfree
firmware-bnx2
firmware-bnx2x
firmware-cavium
firmware-myricom
firmware-netronome
firmware-netxen
firmware-qlogic
firmware-realtek
