# Runs in the emulated machine, as root: tests of whole programs, each in a sandbox as on any machine; then the programs as a
# service of systemd. Writes what the test harness of cargo would.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin VIRTLXC_PROGRAMS=/var/job/programs
cd /var/job
passed=0
failed=0

# NAME COMMAND...: one test; the output is shown where it fails.
check() {
    name=$1
    shift
    if ("$@") > output 2>&1; then
        passed=$((passed + 1))
        echo "test qemu::$name ... ok"
    else
        failed=$((failed + 1))
        cat output
        echo "test qemu::$name ... FAILED"
    fi
}

# Whether no filter is given, or one is a part of the name.
wanted() {
    [ ! -s filters ] && return 0
    while read -r filter; do
        case "$1" in *"$filter"*) return 0 ;; esac
    done < filters
    return 1
}

only_version_2() {
    set -x
    uname -a
    cat /proc/cgroups
    [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] && ! grep -q ' - cgroup ' /proc/self/mountinfo
}

one() {
    ./xtask sandbox --layout v2 -- ./whole --exact "$1" --nocapture --test-threads=1 && grep -q '1 passed' output
}

chmod +x whole xtask programs/*
check only_version_2 only_version_2
for name in $(./whole --list --format terse | sed -n 's/: test$//p' | grep -E '^(layouts::|documents::)' |
    grep -v -e debian -e python); do
    wanted "$name" && check "$name" one "$name"
done


# The programs where docs/install.md puts them, and systemd's sockets: the first client starts the daemon, containers have
# scopes of their own, and a new daemon takes them over.
service() {
    set -ex
    install -m 755 programs/virtlxcd /usr/sbin/
    install -D -m 755 programs/libvirt_lxc /usr/lib/virtlxc/libvirt_lxc
    install -D -m 644 data/virtlxcd.conf /etc/libvirt/virtlxcd.conf
    install -m 644 -t /etc/systemd/system data/systemd/virtlxcd*
    systemctl daemon-reload
    systemctl start virtlxcd.socket virtlxcd-ro.socket virtlxcd-admin.socket
    export LIBVIRT_AUTOSTART=0
    virsh=programs/virsh
    printf '%s' "<domain type='lxc'><name>served</name><memory unit='MiB'>64</memory>
        <os><type>exe</type><init>/bin/sleep</init><initarg>1000</initarg></os>
        <devices><interface type='network'><source network='default'/></interface><console type='pty'/></devices>
        </domain>" > served.xml
    $virsh define served.xml
    $virsh start served
    [ "$(systemctl is-active virtlxcd.service)" = active ]
    id=$($virsh domid served)
    init=$(cat /proc/$id/task/$id/children)
    cat /proc/$id/cgroup /proc/${init% }/cgroup
    # Not in the daemon's own group, which systemd ends with it.
    ! grep -q virtlxcd.service /proc/$id/cgroup /proc/${init% }/cgroup
    systemctl restart virtlxcd.service
    [ "$($virsh domid served)" = "$id" ]
    [ "$($virsh domstate served)" = running ]
    $virsh -r list --name | grep -qx served
    $virsh suspend served
    $virsh resume served
    $virsh destroy served
    $virsh undefine served
    [ ! -e /proc/$id ]
}
wanted service && check service service

word=ok
[ $failed = 0 ] || word=FAILED
echo "test result: $word. $passed passed; $failed failed; 0 ignored; 0 measured; 0 filtered out"
