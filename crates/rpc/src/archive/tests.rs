//! Trees that go through bytes and come out the same, and archives that want more than a copy.

use super::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A folder of a test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("virtlxc-archive-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("to")).unwrap();
        Scratch(path)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.at(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn packed(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(path, &mut bytes, &mut |_| {}).unwrap();
    bytes
}

fn unpacked(path: &Path, name: &str, mut bytes: &[u8]) -> std::io::Result<()> {
    unpack(path, name.as_bytes(), Keep::default(), &mut bytes, &mut |_| {})
}

fn meta(name: &str) -> Meta {
    Meta { name: name.into(), mode: 0o4755, uid: 0, gid: 0, modified: 1_000_000 }
}

fn archive(entries: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (entry, data) in entries {
        write_entry(&mut bytes, entry).unwrap();
        bytes.extend(*data);
    }
    bytes
}

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let scratch = Scratch::new("tree");
    fs::create_dir_all(scratch.at("from/deep/er")).unwrap();
    fs::write(scratch.at("from/deep/er/file"), vec![7; 100_000]).unwrap();
    fs::write(scratch.at("from/empty"), "").unwrap();
    fs::set_permissions(scratch.at("from/empty"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(scratch.at("from/deep"), fs::Permissions::from_mode(0o500)).unwrap();
    symlink("/nowhere/at/all", scratch.at("from/link")).unwrap();
    let bytes = packed(&scratch.at("from"));
    // Into a folder that is there, and under a name that is not.
    unpacked(&scratch.at("to"), "copy", &bytes).unwrap();
    unpacked(&scratch.at("other"), "unused", &bytes).unwrap();
    for copy in ["to/copy", "other"] {
        assert_eq!(fs::read(scratch.at(copy).join("deep/er/file")).unwrap(), vec![7; 100_000]);
        assert_eq!(fs::metadata(scratch.at(copy).join("empty")).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::metadata(scratch.at(copy).join("deep")).unwrap().mode() & 0o7777, 0o500);
        assert_eq!(fs::read_link(scratch.at(copy).join("link")).unwrap(), Path::new("/nowhere/at/all"));
        let times = ["from/empty".to_string(), format!("{copy}/empty")]
            .map(|at| fs::metadata(scratch.at(&at)).unwrap().mtime());
        assert_eq!(times[0], times[1]);
        fs::set_permissions(scratch.at(copy).join("deep"), fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::set_permissions(scratch.at("from/deep"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_folder_that_is_there_takes_what_is_new() {
    let scratch = Scratch::new("merge");
    fs::create_dir_all(scratch.at("from/sub")).unwrap();
    fs::write(scratch.at("from/sub/new"), "new").unwrap();
    fs::create_dir_all(scratch.at("to/from/sub")).unwrap();
    fs::write(scratch.at("to/from/sub/old"), "old").unwrap();
    unpacked(&scratch.at("to"), "from", &packed(&scratch.at("from"))).unwrap();
    assert_eq!(scratch.names("to/from/sub"), ["new", "old"]);
}

#[test]
fn half_of_an_archive_leaves_nothing() {
    let scratch = Scratch::new("half");
    fs::create_dir_all(scratch.at("from/sub")).unwrap();
    fs::write(scratch.at("from/sub/file"), vec![1; 5000]).unwrap();
    let bytes = packed(&scratch.at("from"));
    for end in (0..bytes.len() - 8).step_by(97) {
        let error = unpacked(&scratch.at("to"), "from", &bytes[..end]).unwrap_err();
        assert!(error.to_string().contains("ended before all was sent"), "{end}: {error}");
        assert_eq!(scratch.names("to"), [""; 0], "{end}");
    }
    // One file that is replaced keeps its old content until the new one is whole.
    fs::write(scratch.at("to/file"), "old").unwrap();
    let whole = packed(&scratch.at("from/sub/file"));
    unpacked(&scratch.at("to/file"), "file", &whole[..2000]).unwrap_err();
    assert_eq!(fs::read(scratch.at("to/file")).unwrap(), b"old");
    unpacked(&scratch.at("to/file"), "file", &whole).unwrap();
    assert_eq!(fs::read(scratch.at("to/file")).unwrap(), vec![1; 5000]);
    assert_eq!(scratch.names("to"), ["file"]);
}

#[test]
fn no_name_leads_out() {
    let scratch = Scratch::new("out");
    for name in ["..", ".", "", "a/b", "/etc", "../x"] {
        let bytes =
            archive(&[(Entry::Folder(meta("top")), b""), (Entry::File(meta(name), 1), b"x"), (Entry::End, b"")]);
        let error = unpacked(&scratch.at("to"), "top", &bytes).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{name}: {error}");
        assert_eq!(scratch.names("to"), [""; 0], "{name}");
    }
}

#[test]
fn a_link_in_the_archive_is_not_followed_by_what_comes_behind_it() {
    let scratch = Scratch::new("link");
    fs::create_dir(scratch.at("outside")).unwrap();
    let outside = scratch.at("outside").to_string_lossy().into_owned();
    let link = Entry::Link(meta("way"), outside.as_str().into());
    let inner = [
        (Entry::Folder(meta("top")), b"".as_ref()),
        (link, b""),
        (Entry::Folder(meta("way")), b""),
        (Entry::File(meta("file"), 1), b"x"),
        (Entry::Up, b""),
        (Entry::Up, b""),
        (Entry::End, b""),
    ];
    unpacked(&scratch.at("to"), "top", &archive(&inner)).unwrap_err();
    // The same where the folder is there already, with a link that somebody has put into it.
    fs::create_dir(scratch.at("to/top")).unwrap();
    symlink(&outside, scratch.at("to/top/way")).unwrap();
    let through =
        [inner[0].clone(), inner[2].clone(), inner[3].clone(), inner[4].clone(), inner[5].clone(), inner[6].clone()];
    unpacked(&scratch.at("to"), "top", &archive(&through)).unwrap_err();
    assert_eq!(scratch.names("outside"), [""; 0]);
}

#[test]
fn set_id_bits_come_only_with_owners() {
    let scratch = Scratch::new("bits");
    let bytes = archive(&[(Entry::File(meta("tool"), 1), b"x"), (Entry::End, b"")]);
    unpacked(&scratch.at("to"), "tool", &bytes).unwrap();
    assert_eq!(fs::metadata(scratch.at("to/tool")).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn special_files_are_passed_over_and_told() {
    let scratch = Scratch::new("special");
    fs::create_dir(scratch.at("from")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scratch.at("from/socket")).unwrap();
    let mut over = Vec::new();
    pack(&scratch.at("from"), &mut Vec::new(), &mut |path| over.push(path.to_path_buf())).unwrap();
    assert_eq!(over, [scratch.at("from/socket")]);
}

#[test]
fn no_sequence_of_bytes_is_more_than_an_error() {
    let scratch = Scratch::new("noise");
    let bytes = archive(&[
        (Entry::Folder(meta("d")), b""),
        (Entry::File(meta("f"), 3), b"abc"),
        (Entry::Up, b""),
        (Entry::End, b""),
    ]);
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut spoilt = bytes.clone();
            spoilt[at] = value;
            _ = unpacked(&scratch.at("to"), "d", &spoilt);
        }
    }
    assert!(scratch.names("").iter().all(|name| name == "to"), "{:?}", scratch.names(""));
}

#[test]
fn bytes_of_unknown_number_make_a_file_only_when_all_have_come() {
    let scratch = Scratch::new("pieces");
    let content = vec![5; 100_000];
    let mut bytes = Vec::new();
    send_pieces(&mut content.as_slice(), &mut bytes).unwrap();
    for end in [0, 3, 4, 50_000, bytes.len() - 4, bytes.len() - 1] {
        receive_pieces(&scratch.at("to/file"), b"", &mut &bytes[..end]).unwrap_err();
        assert_eq!(scratch.names("to"), [""; 0], "{end}");
    }
    fs::write(scratch.at("to/file"), "old").unwrap();
    fs::set_permissions(scratch.at("to/file"), fs::Permissions::from_mode(0o600)).unwrap();
    receive_pieces(&scratch.at("to/file"), b"", &mut bytes.as_slice()).unwrap();
    assert_eq!(fs::read(scratch.at("to/file")).unwrap(), content);
    assert_eq!(fs::metadata(scratch.at("to/file")).unwrap().mode() & 0o7777, 0o600);
    let error = receive_pieces(&scratch.at("to"), b"", &mut bytes.as_slice()).unwrap_err();
    assert!(error.to_string().contains("Is a directory"), "{error}");
}

#[test]
fn what_is_no_copy_is_not_replaced_by_one() {
    let scratch = Scratch::new("kept");
    fs::create_dir_all(scratch.at("from/top")).unwrap();
    fs::write(scratch.at("from/top/socket"), "x").unwrap();
    fs::create_dir(scratch.at("to/top")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(scratch.at("to/top/socket")).unwrap();
    symlink("/dev/null", scratch.at("to/link")).unwrap();
    let file = packed(&scratch.at("from/top/socket"));
    let mut pieces = Vec::new();
    send_pieces(&mut b"x".as_slice(), &mut pieces).unwrap();
    let attempts: [(&str, &dyn Fn() -> std::io::Result<()>); 6] = [
        ("to/top/socket", &|| unpacked(&scratch.at("to/top/socket"), "socket", &file)),
        ("to/top/socket", &|| unpacked(&scratch.at("to/top"), "socket", &file)),
        ("to/top/socket", &|| unpacked(&scratch.at("to"), "top", &packed(&scratch.at("from/top")))),
        ("to/link", &|| unpacked(&scratch.at("to/link"), "socket", &file)),
        ("to/top/socket", &|| receive_pieces(&scratch.at("to/top/socket"), b"", &mut pieces.as_slice())),
        ("to/link", &|| receive_pieces(&scratch.at("to/link"), b"", &mut pieces.as_slice())),
    ];
    for (at, attempt) in attempts {
        let error = attempt().unwrap_err().to_string();
        assert_eq!(error, format!("'{}': is there, and neither file, folder nor link", scratch.at(at).display()));
    }
    assert!(std::os::unix::fs::FileTypeExt::is_socket(&fs::metadata(scratch.at("to/top/socket")).unwrap().file_type()));
    assert_eq!(fs::read_link(scratch.at("to/link")).unwrap(), Path::new("/dev/null"));
    assert_eq!(
        (scratch.names("to"), scratch.names("to/top")),
        (vec!["link".into(), "top".into()], vec!["socket".into()])
    );
}
