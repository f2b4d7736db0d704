# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A small disk of a test's own: a file system in a file, behind a loop device.

DISK=
DISK_LOOP=

# disk_make MIB [TYPE]: mount one on $DISK, an ext4 if no TYPE is given. It goes at exit.
disk_make() {
	[ "$(id -u)" = 0 ] || skip "only root can mount a disk to test with"
	[ -e /dev/loop-control ] || skip "this kernel has no loop devices to make a disk with"
	DISK=$TEST_DIR/disk
	mkdir "$DISK"
	truncate -s "$1M" "$TEST_DIR/image"
	case ${2:-ext4} in
	ext*) must "mkfs.${2:-ext4}" -q -b 4096 -m 0 "$TEST_DIR/image" ;;
	*) must "mkfs.$2" -q "$TEST_DIR/image" ;;
	esac
	DISK_LOOP=$(losetup --direct-io=on -f --show "$TEST_DIR/image") || fail "no loop device"
	at_exit "losetup -d $DISK_LOOP"
	must mount "$DISK_LOOP" "$DISK"
	at_exit "umount $DISK"
}
