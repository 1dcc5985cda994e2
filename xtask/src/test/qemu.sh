# Runs in the emulated machine, as root. Where systemd booted it: tests of whole programs, each in a sandbox as on any machine,
# then the programs as a service. Where this script is the first program: the same on hierarchies of cgroup v1, mounted as a user
# would. Writes what the test harness of cargo would.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin VIRTLXC_PROGRAMS=/var/job/programs
passed=0
failed=0

# So many seconds after its begin a test that goes on is ended, with a word on what it waits for.
patience=300

# What each process does, and where in the kernel, for who looks for the reason of a standstill.
standstill() {
    sleep $patience || return
    echo "not within $patience s; the processes:"
    for process in /proc/[0-9]*; do
        [ -s $process/cmdline ] || continue
        printf '%s %s %s: %s\n' "${process#/proc/}" "$(sed -n 's/^State:.//p' $process/status)" \
            "$(cat $process/wchan)" "$(tr '\0' ' ' < $process/cmdline)"
        cat $process/stack
    done
    pkill -9 -x whole
    pkill -9 -x virtlxcd
    pkill -9 -x virsh
}

# NAME COMMAND...: one test; the output is shown where it fails.
check() {
    name=$1
    shift
    standstill 2>&1 < /dev/null &
    watch=$!
    begun=$(date +%s)
    ("$@") > output 2>&1
    ended=$?
    took=$(($(date +%s) - begun))
    # It may not have come to its sleep yet.
    until pkill -P $watch -x sleep || ! kill -0 $watch 2> /dev/null; do sleep 0.1; done
    wait $watch
    if [ $ended = 0 ]; then
        passed=$((passed + 1))
        echo "test qemu::$name ... ok <$took s>"
    else
        failed=$((failed + 1))
        cat output
        echo "test qemu::$name ... FAILED"
    fi
}

# COMMAND...: what is to fail. A shell that ends with the first failure does not look at what stands behind a `!`.
fails() {
    if "$@"; then return 1; fi
}

# Whether no filter is given, or one is a part of the name.
wanted() {
    [ ! -s filters ] && return 0
    while read -r filter; do
        case "$1" in *"$filter"*) return 0 ;; esac
    done < filters
    return 1
}

# PATTERN: tests of whole programs whose names begin so.
listed() {
    ./whole --list --format terse | sed -n 's/: test$//p' | grep -E "$1" | grep -v -e debian -e python -e crun
}

# COMMAND...: again until it succeeds, which nothing announces.
patiently() {
    for _ in $(seq 300); do
        "$@" 2> /dev/null && return
        sleep 0.1
    done
    "$@"
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

# The programs where docs/install.md puts them, with systemd's sockets. What a whole boot starts before them, and one for a single
# command does not: the bus, and a journal that lets the kernel audit.
install_service() {
    systemctl start dbus.socket
    mkdir -p /etc/systemd/journald.conf.d
    printf '[Journal]\nAudit=yes\n' > /etc/systemd/journald.conf.d/audit.conf
    systemctl restart systemd-journald.service
    install -m 755 programs/virtlxcd /usr/sbin/
    install -D -m 755 programs/libvirt_lxc /usr/lib/virtlxc/libvirt_lxc
    install -D -m 644 data/virtlxcd.conf /etc/libvirt/virtlxcd.conf
    install -m 644 -t /etc/systemd/system data/systemd/virtlxcd*
    systemctl daemon-reload
    systemctl start virtlxcd.socket virtlxcd-ro.socket virtlxcd-admin.socket
}
export LIBVIRT_AUTOSTART=0
virsh=programs/virsh

# NAME MORE: a document with a sleeping init on the machine's own root.
sleeper() {
    printf '%s' "<domain type='lxc'><name>$1</name><memory unit='MiB'>64</memory>
        <os><type>exe</type><init>/bin/sleep</init><initarg>1000</initarg></os>$2
        <devices><interface type='network'><source network='default'/></interface><console type='pty'/></devices>
        </domain>" > "$1.xml"
}

# The first client starts the daemon, containers are not in its group, and a new daemon takes them over. Nobody answers for
# systemd-machined here, so they have groups of their own.
service() {
    set -ex
    systemctl mask systemd-machined.service
    sleeper served
    $virsh define served.xml
    $virsh start served
    [ "$(systemctl is-active virtlxcd.service)" = active ]
    id=$($virsh domid served)
    init=$(cat /proc/$id/task/$id/children)
    cat /proc/$id/cgroup /proc/${init% }/cgroup
    # Not in the daemon's own group, which systemd ends with it.
    fails grep -q virtlxcd.service /proc/$id/cgroup /proc/${init% }/cgroup
    grep -q "no systemd scope, own groups instead" /var/log/libvirt/lxc/served.log
    systemctl restart virtlxcd.service
    [ "$($virsh domid served)" = "$id" ]
    [ "$($virsh domstate served)" = running ]
    $virsh -r list --name | grep -qx served
    $virsh suspend served
    $virsh resume served
    $virsh destroy served
    $virsh undefine served
    # A new daemon's containers are not its children: the first process reaps them, when it comes to it.
    patiently [ ! -e /proc/$id ]
    systemctl unmask systemd-machined.service
}

unlisted() {
    [ -z "$(machinectl list --no-legend)" ]
}

# SCOPE
ended() {
    ! systemctl is-active "$1"
}

# With systemd-machined each container is a machine of its own scope, which goes with it.
machine() {
    set -ex
    sleeper scoped "<resource><partition>/machine</partition></resource>"
    $virsh create scoped.xml
    id=$($virsh domid scoped)
    init=$(cat /proc/$id/task/$id/children)
    init=${init% }
    machinectl list --no-legend
    machinectl list --no-legend | grep -q "^lxc-$id-scoped "
    scope="machine-lxc\\x2d$id\\x2dscoped.scope"
    systemctl status --no-pager "$scope"
    grep -qF "machine.slice/$scope" /proc/$id/cgroup
    grep -qF "machine.slice/$scope" /proc/$init/cgroup
    [ "$(cat "/sys/fs/cgroup/machine.slice/$scope/memory.max")" = 67108864 ]
    [ "$(machinectl show -p Leader --value "lxc-$id-scoped")" = "$id" ]
    $virsh memtune scoped --hard-limit 32768 --live
    [ "$(cat "/sys/fs/cgroup/machine.slice/$scope/memory.max")" = 33554432 ]
    systemctl restart virtlxcd.service
    $virsh suspend scoped
    grep -qx "frozen 1" /sys/fs/cgroup/machine.slice/$scope/container/cgroup.events
    $virsh resume scoped
    $virsh destroy scoped
    # systemd and its machined hear of the end by themselves.
    patiently unlisted
    patiently ended "$scope"
    patiently [ ! -e "/sys/fs/cgroup/machine.slice/$scope" ]
}

# The last record of a container's life has come, and with it all others.
recorded() {
    journalctl --sync
    journalctl -b --no-pager -o cat | grep -a virt=lxc > records || dmesg | grep -a virt=lxc > records || return
    grep -q 'op=stop reason=destroyed vm="audited"' records
}

# Records in the kernel's log where no auditd takes them away.
audited() {
    set -ex
    sleeper audited
    dmesg -C
    $virsh create audited.xml
    id=$($virsh domid audited)
    $virsh destroy audited
    # The kernel hands them on when it comes to it.
    patiently recorded
    cat records
    for words in "resrc=fs reason=start vm=\"audited\"" "resrc=net reason=start" "resrc=mem reason=start" \
        "op=init vm=\"audited\"" "op=start reason=booted vm=\"audited\"" "op=stop reason=destroyed vm=\"audited\""; do
        grep -q "virt=lxc $words.*res=success" records
    done
    grep -q "op=start .*vm-pid=$id exe=\"/usr/sbin/virtlxcd\"" records
    # Nothing is recorded where the settings say so.
    echo 'audit_level = 0' >> /etc/libvirt/virtlxcd.conf
    systemctl restart virtlxcd.service
    before=$(journalctl -b --no-pager -o cat | grep -ac virt=lxc)
    $virsh create audited.xml
    $virsh destroy audited
    journalctl --sync
    [ "$(journalctl -b --no-pager -o cat | grep -ac virt=lxc)" = "$before" ]
    sed -i '/^audit_level/d' /etc/libvirt/virtlxcd.conf
    systemctl restart virtlxcd.service
}

# A container that a profile of AppArmor confines.
apparmor() {
    set -ex
    [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ]
    printf '%s\n' 'profile virtlxc-test flags=(attach_disconnected) {' '  file,' '  signal,' '  capability,' '  mount,' \
        '  deny /etc/shadow r,' '}' | apparmor_parser -r
    label() {
        echo "<seclabel type='static' model='apparmor' relabel='no'><label>$1</label></seclabel>"
    }
    $virsh capabilities | grep -q '<model>apparmor</model>'
    sleeper confined "$(label virtlxc-test)"
    sed -i 's,/bin/sleep</init><initarg>1000,/bin/sh</init><initarg>-c</initarg><initarg>cat /etc/shadow > /var/job/got; \
cat /etc/passwd > /var/job/also; sleep 1000,' confined.xml
    $virsh create confined.xml
    id=$($virsh domid confined)
    init=$(cat /proc/$id/task/$id/children)
    [ "$(cat /proc/${init% }/attr/current)" = "virtlxc-test (enforce)" ]
    $virsh dominfo confined
    $virsh dominfo confined | grep -q '^Security label: *virtlxc-test (enforcing)'
    timeout 200 sh -c 'until [ -s also ]; do sleep 0.1; done'
    [ ! -s got ]
    $virsh dumpxml confined | grep -q '<label>virtlxc-test</label>'
    $virsh destroy confined
    sleeper confined "$(label no-such-profile)"
    fails $virsh create confined.xml 2> said
    grep -q "AppArmor profile 'no-such-profile' is not loaded" said
    sleeper confined
    $virsh create confined.xml
    $virsh dominfo confined | grep -q '^Security label: *unconfined (permissive)'
    $virsh destroy confined
}

# A profile of its own, made for the container and gone with it, however it ends.
own_profile() {
    set -ex
    loaded() {
        grep -q "^libvirt-" /sys/kernel/security/apparmor/profiles
    }
    not_loaded() {
        ! loaded
    }
    own() {
        sleeper own "<seclabel type='dynamic' model='apparmor'/>"
        $virsh create own.xml
        id=$($virsh domid own)
        init=$(cat /proc/$id/task/$id/children)
        profile=libvirt-$($virsh domuuid own)
        [ "$(cat /proc/${init% }/attr/current)" = "$profile (enforce)" ]
    }
    # What one without can.
    sleeper own
    $virsh create own.xml
    $virsh exec own -- /bin/sh -c 'mount -t proc proc /mnt && echo h > /mnt/sysrq-trigger'
    $virsh exec own -- /bin/mount -t sysfs sysfs /mnt
    bound='mount -t proc proc /mnt && mount --bind /mnt/sys/kernel /opt'
    $virsh exec own -- /bin/sh -c "$bound && echo core > /opt/core_pattern"
    switch='mount -o remount,bind,rw /sys; mount -o remount,rw /sys; echo Y > /sys/module/printk/parameters/time'
    $virsh exec own -- /bin/sh -c "$switch"
    $virsh destroy own
    not_loaded
    own
    $virsh dominfo own | grep -q "^Security label: *$profile (enforcing)"
    $virsh dumpxml own > own.live
    grep -A 2 "<seclabel type='dynamic' model='apparmor' relabel='yes'>" own.live | grep "<label>$profile</label>"
    grep "<imagelabel>$profile</imagelabel>" own.live
    $virsh exec own -- /bin/cat /proc/self/attr/current | grep -qx "$profile (enforce)"
    # What an init needs, and not what reaches the machine, where the guest can mount.
    $virsh exec own -- /bin/sh -c 'mount -t tmpfs tmpfs /mnt && echo yes > /mnt/file && umount /mnt && kill -0 1'
    $virsh exec own -- /bin/sh -c 'mount -t proc proc /mnt && cat /mnt/uptime'
    fails $virsh exec own -- /bin/sh -c 'mount -t proc proc /mnt && echo h > /mnt/sysrq-trigger'
    fails $virsh exec own -- /bin/mount -t sysfs sysfs /mnt
    fails $virsh exec own -- /bin/sh -c "$bound"
    fails $virsh exec own -- /bin/mount --bind /proc/sys /opt
    fails $virsh exec own -- /bin/mount --bind /proc/sysrq-trigger /etc/hostname
    fails $virsh exec own -- /bin/sh -c "$switch"
    fails $virsh exec own -- /bin/sh -c 'mount -t proc proc /mnt && : < /mnt/kcore'
    # Services of systemd see the root so.
    $virsh exec own -- /bin/sh -c 'mount --rbind / /opt && mount --bind /opt/proc/sys /opt/proc/sys && hostname own'
    systemctl restart virtlxcd.service
    loaded
    $virsh destroy own
    not_loaded
    own
    kill -9 "$id"
    patiently not_loaded
    # Which is not the last that is done for it.
    patiently fails $virsh domstate own
    own
    systemctl stop virtlxcd.service
    kill -9 "$id"
    # By itself: the change of labels has not cut it from its controller.
    patiently fails kill -0 ${init% }
    $virsh list
    patiently not_loaded
    # A start that fails later.
    sed -i 's,/bin/sleep,/bin/nothing,' own.xml
    fails $virsh create own.xml
    not_loaded
    # The administrator's text, and a container whose document asks for nothing.
    mkdir -p /etc/apparmor.d/libvirt
    printf '%s\n' 'profile LIBVIRT_TEMPLATE flags=(attach_disconnected) {' '  file,' '  capability,' '  signal,' \
        '  deny /etc/shadow r,' '}' > /etc/apparmor.d/libvirt/TEMPLATE.lxc
    echo 'security_default_confined = 1' > /etc/libvirt/lxc.conf
    systemctl restart virtlxcd.service
    sleeper own
    $virsh create own.xml
    $virsh dominfo own | grep -q '^Security label: *libvirt-.* (enforcing)'
    fails $virsh exec own -- /bin/cat /etc/shadow
    fails $virsh exec own -- /bin/mount -t tmpfs tmpfs /mnt
    $virsh destroy own
    not_loaded
    rm /etc/libvirt/lxc.conf
    echo 'profile LIBVIRT_TEMPLATE { nonsense' > /etc/apparmor.d/libvirt/TEMPLATE.lxc
    systemctl restart virtlxcd.service
    sleeper own "<seclabel type='dynamic' model='apparmor'/>"
    fails $virsh create own.xml 2> said
    cat said
    grep -q "cannot load AppArmor profile 'libvirt-.*syntax error" said
    rm /etc/apparmor.d/libvirt/TEMPLATE.lxc
    mv "$(command -v apparmor_parser)" .
    fails $virsh create own.xml 2> said
    cat said
    grep -q "cannot load AppArmor profile 'libvirt-.*: apparmor_parser(8) is not there" said
    mv apparmor_parser /usr/sbin/
    [ -z "$($virsh list --name)" ]
}

# An image in a format that qemu-nbd reads, as a folder, as the root and as a disk: what is written is there the next time, and
# nothing is left of device and program, however the container ends.
served() {
    set -ex
    let_go_of_all() {
        for device in /sys/block/nbd*; do
            [ ! -e $device/pid ] && [ "$(cat $device/size)" = 0 ] || return
        done
        ! pgrep -x qemu-nbd
    }
    mkdir -p tree/bin
    cp /bin/busybox tree/bin/
    for name in sh sleep cat; do ln -s busybox tree/bin/$name; done
    truncate -s 64M plain.img
    mkfs.ext4 -q -d tree plain.img
    qemu-img convert -f raw -O qcow2 plain.img box.qcow2
    image() {
        sleeper served
        sed -i "s,<interface.*</interface>,<filesystem type='file'><driver type='nbd' format='qcow2'/>\
<source file='/var/job/$1'/>$3<target dir='$2'/></filesystem>," served.xml
    }
    in_it() {
        $virsh exec served -- /bin/sh -c "$1"
    }
    image box.qcow2 /mnt/disk
    $virsh create served.xml
    # Where the daemon is, and not where the container's end would end it.
    grep virtlxcd.service "/proc/$(pgrep -x qemu-nbd)/cgroup"
    in_it 'echo kept > /mnt/disk/file; dd if=/dev/zero of=/mnt/disk/more bs=1M count=8'
    $virsh destroy served
    # At once: what was written is waited for.
    $virsh create served.xml
    [ "$(in_it 'cat /mnt/disk/file; stat -c %s /mnt/disk/more')" = "kept
8388608" ]
    in_it 'echo again >> /mnt/disk/file'
    kill -9 "$($virsh domid served)"
    patiently let_go_of_all
    patiently sh -c "! $virsh domstate served"
    # As the root, and read-only.
    image box.qcow2 /
    $virsh create served.xml
    [ "$(in_it 'cat /file; echo no > /file2 && echo yes')" = "kept
again
yes" ]
    $virsh destroy served
    patiently let_go_of_all
    image box.qcow2 / '<readonly/>'
    $virsh create served.xml
    fails in_it 'echo no > /file3'
    cat /sys/block/nbd*/ro | grep -qx 1
    # Whoever reads, too, can be one of many.
    sed 's,served</name>,beside</name>,' served.xml > beside.xml
    $virsh create beside.xml
    $virsh destroy beside
    $virsh destroy served
    patiently let_go_of_all
    # As a disk, there for the container while it has it open or not.
    sleeper served
    sed -i "s,<interface.*</interface>,<disk type='file'><driver name='nbd' type='qcow2'/>\
<source file='/var/job/box.qcow2'/><target dev='sdb'/></disk>," served.xml
    $virsh create served.xml
    [ "$(in_it 'blockdev --getsize64 /dev/sdb; blockdev --getsize64 /dev/sdb')" = "67108864
67108864" ]
    # Another container does not get it meanwhile.
    image box.qcow2 /mnt/disk
    sed -i 's,served</name>,beside</name>,' served.xml
    fails $virsh create served.xml 2> said
    cat said
    grep -q '/var/job/box.qcow2: qemu-nbd: .*lock' said
    kill -9 "$($virsh domid served)"
    patiently let_go_of_all
    # Of a start that fails later nothing is left.
    image box.qcow2 /mnt/disk
    sed -i 's,/bin/sleep,/bin/nothing,' served.xml
    fails $virsh create served.xml
    patiently let_go_of_all
    # What is no such image is refused, and nothing is left.
    image plain.img /mnt/disk
    fails $virsh create served.xml 2> said
    cat said
    grep -q "Unable to serve /var/job/plain.img: qemu-nbd: .*not in qcow2 format" said
    let_go_of_all
}

# LAYOUT TEST: on the hierarchies that are mounted, with files, processes and network of its own. The machine is thrown away.
alone() {
    unshare --mount --net --ipc --uts --pid --fork --kill-child --mount-proc sh -ec '
        mkdir -p /run/cgroup
        mount --rbind /sys/fs/cgroup /mnt
        mount -t sysfs sysfs /sys
        mount --rbind /mnt /sys/fs/cgroup
        for folder in /opt /run /tmp /etc/libvirt /var/lib/libvirt /var/log; do
            mkdir -p $folder
            mount -t tmpfs -o mode=755 tmpfs $folder
        done
        mkdir /run/lock
        touch /run/virtlxc-sandbox
        ip link set lo up
        export VIRTLXC_SANDBOX=1
        # Not in its place: the first process has to reap what others leave.
        ./whole --exact "$1" --nocapture --test-threads=1 &
        wait $!' alone "$1" && grep -q '1 passed' output
}

# What a container cannot do without is named, with the command that mounts it.
missing() {
    set -ex
    mkdir -p /dev/cgroup
    mount -t cgroup -o cpu,freezer none /dev/cgroup
    sleeper short
    sed -i 's,<interface.*</interface>,,' short.xml
    unset LIBVIRT_AUTOSTART
    programs/virtlxcd -d
    fails $virsh create short.xml 2> said
    cat said
    grep -q "Unable to find 'cpuacct' cgroups controller mount. Mount it: 'mkdir -p .* && mount -t cgroup -o cpuacct" said
    kill "$(cat /run/virtlxcd.pid)"
    timeout 200 sh -c 'while [ -e /run/virtlxcd.pid ]; do sleep 0.1; done'
    umount /dev/cgroup
}

together=cpuacct,memory,devices,cpu,freezer,blkio

# The controllers that were together can be mounted apart. While a group that was removed still has pages somewhere, its
# hierarchy outlives its last mount, and only another one that ends later takes it away.
let_go() {
    umount /dev/cgroup
    echo 3 > /proc/sys/vm/drop_caches
    mount -t cgroup -o memory memory /sys/fs/cgroup/memory && return
    mount -t cgroup -o $together none /dev/cgroup
    return 1
}

chmod +x whole xtask programs/*
if [ $$ != 1 ]; then
    wanted only_version_2 && check only_version_2 only_version_2
    for name in $(listed '^(layouts::|documents::|container::|elements::(file|usb|mounts|ids)|hostile::as_many_processes)'); do
        wanted "$name" && check "$name" one "$name"
    done
    install_service > output 2>&1 || cat output
    for name in service machine audited apparmor own_profile served; do
        wanted $name && check $name $name
    done
else
    for mounted in /proc /sys /dev /run; do
        mountpoint -q $mounted || echo "$mounted is not mounted"
    done
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs -o mode=1777 tmpfs /tmp
    mkdir -p /dev/pts /run/lock
    mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
    ip link set lo up
    # Elsewhere udev does that when somebody opens their devices.
    modprobe -a fuse loop
    wanted missing && check missing missing
    # As libvirt's page about containers mounts them.
    mkdir -p /dev/cgroup
    mount -t cgroup -o $together none /dev/cgroup
    for name in $(listed '^(layouts::(a_|tuning|view)|container::(a_plain|cap|dev|disks|file|ids|iso)|elements::usb)'); do
        wanted "$name" && check "together::$name" alone "$name"
    done
    # A hierarchy with a group in it stays, and its controllers with it.
    patiently find /dev/cgroup -mindepth 1 -depth -type d -exec rmdir {} +
    mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
    mkdir /sys/fs/cgroup/memory
    patiently let_go
    umount /sys/fs/cgroup/memory
    for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
        mkdir -p /sys/fs/cgroup/$controller
        patiently mount -t cgroup -o $controller $controller /sys/fs/cgroup/$controller
    done
    for name in $(listed '^(layouts::(a_|tuning)|container::(dev|disks|ids|iso)|elements::usb)'); do
        wanted "$name" && check "apart::$name" alone "$name"
    done
fi

word=ok
[ $failed = 0 ] || word=FAILED
echo "test result: $word. $passed passed; $failed failed; 0 ignored; 0 measured; 0 filtered out"
if [ $$ = 1 ]; then
    sync
    busybox poweroff -f
    while :; do sleep 1000; done
fi
