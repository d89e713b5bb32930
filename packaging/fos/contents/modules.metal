# Kernel modules for real machines: a file or a folder below lib/modules/VERSION/kernel, one a line.
# What these depend on comes along. Lines that this kernel does not have are built in or not needed.
drivers/ata
drivers/block/virtio_blk.ko
drivers/char/hw_random/virtio-rng.ko
drivers/hid/hid.ko
drivers/hid/hid-generic.ko
drivers/hid/usbhid
drivers/hv/hv_vmbus.ko
drivers/input/serio
drivers/message/fusion
drivers/mmc
drivers/net/ethernet
drivers/net/hyperv
drivers/net/phy
drivers/net/usb
drivers/net/virtio_net.ko
drivers/net/vmxnet3
drivers/nvme/host
drivers/scsi
drivers/ufs
drivers/usb/host
drivers/usb/storage
drivers/virtio/virtio_pci.ko
fs/efivarfs
