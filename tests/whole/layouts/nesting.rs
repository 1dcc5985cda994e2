//! A container whose guest runs containers itself: `mknod` and `sys_admin` by name lift what forbids it, and its groups are its own
//! to divide.

use crate::container::before_devices;
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, eventually, ours, shell};
use tests::sandbox;

const ROOT: &str = "/opt/outer";
const NESTING: &str = "<features><capabilities><mknod state='on'/><sys_admin state='on'/></capabilities></features>";

/// Copies a program with the libraries that it is linked to.
fn copy_program(path: &Path) {
    let copy = |from: &str, to: &str| {
        let to = Path::new(ROOT).join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    let path = path.to_str().unwrap();
    copy(path, &format!("/programs/{}", path.rsplit('/').next().unwrap()));
    let libraries = shell(&format!("ldd {path}")).ok();
    libraries.split_whitespace().filter(|word| word.starts_with('/')).for_each(|library| copy(library, library));
}

/// A container in which the lines run, as children of its init; what they say.
fn said_inside(lines: &str) -> String {
    image::busybox(Path::new(ROOT), "sh /lines > /said.new 2>&1\nmv /said.new /said\nexec sleep 1000").unwrap();
    image::busybox(Path::new(&format!("{ROOT}/opt/inner")), "echo hello > /hello\nexec sleep 1000").unwrap();
    fs::write(format!("{ROOT}/lines"), format!("export PATH=/programs:/bin LIBVIRT_AUTOSTART=0\n{lines}\n")).unwrap();
    virsh(&["define", &file("outer.xml", &before_devices(domain("outer", ROOT, &["/init"], ""), NESTING))]).ok();
    virsh(&["start", "outer"]).ok();
    eventually("the lines have run", PATIENCE, || fs::read_to_string(format!("{ROOT}/said")).ok())
}

#[test]
fn our_own_daemon_in_a_container() {
    sandbox::require();
    let _daemon = Daemon::start();
    copy_program(&ours("virtlxcd"));
    copy_program(&ours("virsh"));
    fs::create_dir_all(format!("{ROOT}/usr/lib/virtlxc")).unwrap();
    fs::copy(ours("libvirt_lxc"), format!("{ROOT}/usr/lib/virtlxc/libvirt_lxc")).unwrap();
    fs::write(format!("{ROOT}/inner.xml"), domain("inner", "/opt/inner", &["/init"], "")).unwrap();
    let said = said_inside(
        "mkdir -p /run /var/log; rmdir /var/run; ln -s /run /var/run; virtlxcd -d; virsh define /inner.xml; virsh start inner && virsh domstate inner
         until [ -e /opt/inner/hello ] || ! virsh list --name | grep -q inner; do sleep 0.1; done
         cat /opt/inner/hello; virsh destroy inner && virsh domstate inner",
    );
    let words = ["Domain 'inner' started\n", "running\n", "hello\n", "Domain 'inner' destroyed\n", "shut off\n"];
    let places: Vec<Option<usize>> = words.iter().map(|word| said.find(word)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{said}");
}

#[test]
fn crun_in_a_container() {
    sandbox::require();
    let Some(path) = ["/usr/bin/crun", "/usr/local/bin/crun"].map(Path::new).into_iter().find(|path| path.exists())
    else {
        println!("crun is not installed: nothing is tested");
        return;
    };
    let _daemon = Daemon::start();
    copy_program(path);
    // Limits are the outer container's here: crun wants to lift one of the machine's to set its own.
    let said = said_inside(
        "mkdir -p /bundle; cd /bundle; crun spec
         sed -i 's,\"terminal\": true,\"terminal\": false,; s,\"rootfs\",\"/opt/inner\",; \
             s,\"sh\",\"sh\"\\, \"-c\"\\, \"echo from crun; hostname\",' config.json
         crun --cgroup-manager=disabled run inner",
    );
    assert_eq!(said, "from crun\ncrun\n");
}
