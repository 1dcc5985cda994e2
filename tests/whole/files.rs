//! The library's FUSE server on the real kernel: what a container reads in place of the machine's `/proc` files.

use linux::fuse::Server;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode, OFlags};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::{fs, thread};
use tests::program::shell;
use tests::sandbox;

#[test]
fn files_are_served_to_every_user_and_in_pieces() {
    sandbox::require();
    let (mut server, folder) = Server::new(&["meminfo", "stat"]).unwrap();
    fs::create_dir("/tmp/view").unwrap();
    let target = rustix::fs::openat(CWD, "/tmp/view", OFlags::PATH, Mode::empty()).unwrap();
    let mounted = folder.attach(target.as_fd()).unwrap();
    let serving = thread::spawn(move || {
        let mut made = 0;
        loop {
            poll(&mut [PollFd::new(&server.fd(), PollFlags::IN)], None).unwrap();
            let more = server.ready(&mut |file| {
                made += 1;
                match file {
                    0 => Ok(format!("{made}: {}\n", "x".repeat(10_000)).into_bytes()),
                    _ => Err(std::io::ErrorKind::Other.into()),
                }
            });
            if !more.unwrap() {
                return made;
            }
        }
    });
    let text = fs::read_to_string("/tmp/view/meminfo").unwrap();
    assert_eq!(text.len(), 10_004);
    let file = fs::File::open("/tmp/view/meminfo").unwrap();
    let mut first = [0; 100];
    file.read_exact_at(&mut first, 0).unwrap();
    let mut last = [0; 100];
    file.read_exact_at(&mut last, 9_904).unwrap();
    assert!(last.ends_with(b"x\n"));
    assert_eq!(shell("setpriv --reuid 65534 --clear-groups cat /tmp/view/meminfo | wc -c").ok().trim(), "10004");
    assert_eq!(shell("ls /tmp/view").ok(), "meminfo\nstat\n");
    assert_eq!(shell("cat /tmp/view/stat").code, 1);
    assert_ne!(shell("echo >/tmp/view/meminfo").code, 0);
    assert_ne!(shell("touch /tmp/view/new").code, 0);
    assert_ne!(shell("rm /tmp/view/stat").code, 0);
    drop((file, mounted));
    shell("umount /tmp/view").ok();
    assert!(serving.join().unwrap() >= 3);
}
