# The init of a hostile guest: tries what would reach the machine, and writes a line for each to /seen.
export PATH=/bin:/sbin
mkdir -p /mnt/a /tmp
# WHAT COMMAND: one attempt.
try() {
    if sh -c "$2" > /tmp/said 2>&1 < /dev/null; then
        echo "may $1" >> /seen.new
    else
        echo "may-not $1: $(tail -n 1 /tmp/said)" >> /seen.new
    fi
}
# Writes to a file what it has already: nothing changes where that succeeds.
same() { echo "v=\$(cat $1) && echo \"\$v\" > $1"; }
mounted() { mount "$@" /mnt/a 2> /dev/null; }
gone() { umount /mnt/a 2> /dev/null; }

try "make a node of a disk" "mknod /tmp/b b 8 0 && head -c 1 /tmp/b"
try "make a node of memory" "mknod /tmp/m c 1 1 && head -c 1 /tmp/m"
mounted -t devtmpfs d
try "read a disk of the machine's /dev" "for disk in vda sda nvme0n1; do head -c 1 /mnt/a/\$disk && exit 0; done; exit 1"
gone
mounted -t cgroup -o memory c
try "write release_agent" "[ -e /mnt/a/release_agent ] && $(same /mnt/a/release_agent)"
try "set release_agent by a remount" "mount -o remount,memory,release_agent=/x /mnt/a"
gone
try "make a hierarchy of its own" "mount -t cgroup -o none,name=virtlxc-test c /mnt/a"
gone
for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -e "$folder/cgroup.procs" ] || continue
    try "leave the group in $folder" "echo 1 > $folder/../machine/cgroup.procs"
done
try "release_agent in new namespaces" "unshare -r -m -C sh -c 'mount -t cgroup -o memory c /mnt/a && echo /x > /mnt/a/release_agent'"
echo "--- what takes sys_admin over the machine" >> /seen.new
mounted -t proc p
try "write a sysctl through a new proc" "$(same /mnt/a/sys/kernel/core_pattern)"
try "use sysrq through a new proc" "[ -e /mnt/a/sysrq-trigger ] && echo h > /mnt/a/sysrq-trigger"
gone
umount /proc/sys 2> /dev/null
try "write a sysctl" "$(same /proc/sys/kernel/core_pattern)"
mounted -t sysfs s
try "write sysfs" "$(same /mnt/a/kernel/mm/transparent_hugepage/enabled)"
gone
mounted -t cgroup -o memory c
try "lift its limit" "[ -e /mnt/a/memory.limit_in_bytes ] && echo -1 > /mnt/a/memory.limit_in_bytes"
try "be told of empty groups" "[ -e /mnt/a/notify_on_release ] && echo 1 > /mnt/a/notify_on_release"
gone
mounted -t cgroup -o devices c
try "allow itself all devices" "[ -e /mnt/a/devices.allow ] && echo a > /mnt/a/devices.allow"
gone
try "see debugfs" "mount -t debugfs d /mnt/a"
gone
try "see tracefs" "mount -t tracefs d /mnt/a"
gone
try "change the options of a file system of the machine" "mount -o remount,rw /"
mv /seen.new /seen
exec sleep 1000
