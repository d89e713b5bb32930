# The partition table for a disk of another size: `sfdisk --dump` in, a script for sfdisk out.
#
#	awk -v sectors=N -v sector_size=512 -v grow=2 -f layout.awk table
#
# Partition `grow` (0: none) takes what the disk has more; what lies behind it moves to the end, in
# whole MiB, so that everything stays aligned; what contains it (an extended partition) grows too.

function field(line, name,    found) {
	found = line
	if (!sub(".*[ ,:]" name "= *", "", found))
		return -1
	sub("[^0-9].*", "", found)
	return found + 0
}

function put(line, name, value) {
	sub(name "= *[0-9]+", sprintf("%s=%.0f", name, value), line)
	return line
}

/^label: / { label = $2 }
/^(device|last-lba):/ { next }
/ : / {
	node = $1
	match(node, "[0-9]+$")
	number[++parts] = substr(node, RSTART) + 0
	start[parts] = field($0, "start")
	size[parts] = field($0, "size")
	if (start[parts] + size[parts] > used)
		used = start[parts] + size[parts]
	if (number[parts] == grow && grow > 0)
		growing = parts
}
{ lines[++count] = $0; if (/ : /) part_of[count] = parts }

END {
	end = sectors
	if (label == "gpt") # the table's copy at the end: 16 KiB of entries and its header
		end = sectors - 1 - 16384 / sector_size
	else if (end > 4294967295)
		end = 4294967295
	unit = 1048576 / sector_size
	more = growing ? int((end - used) / unit) * unit : 0
	if (more < 0)
		more = 0
	for (i = 1; i <= count; i++) {
		line = lines[i]
		p = part_of[i]
		if (p && more) {
			if (start[p] > start[growing] && !(p == growing))
				line = put(line, "start", start[p] + more)
			else if (start[p] + size[p] >= start[growing] + size[growing])
				line = put(line, "size", size[p] + more)
		}
		print line
	}
}
