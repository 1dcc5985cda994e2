//! Any bytes as what a stream of `virsh exec` and `virsh cp` carries: as records, in two pieces, and as an archive, which leaves
//! nothing outside the folder it is unpacked to, and packed again is unpacked again.

use rpc::archive::{Keep, pack, receive_pieces, unpack};
use rpc::records::Reader;
use std::fs;

/// Takes one input; whether it was a whole archive or a whole file.
pub fn check(bytes: &[u8]) -> bool {
    let Some((how, data)) = bytes.split_first() else { return false };
    records(usize::from(*how), data);
    let top = std::env::temp_dir().join(format!("virtlxc-fuzz-archive-{}", std::process::id()));
    let (to, again) = (top.join("to"), top.join("again"));
    fs::create_dir_all(&to).unwrap();
    fs::create_dir_all(&again).unwrap();
    let whole = if how & 1 == 0 {
        receive_pieces(&to, b"name", &mut &*data).is_ok()
    } else if unpack(&to, b"name", Keep { owners: how & 2 != 0 }, &mut &*data, &mut |_| {}).is_ok() {
        let mut packed = Vec::new();
        pack(&to.join("name"), &mut packed, &mut |_| {}).unwrap();
        unpack(&again, b"name", Keep::default(), &mut &*packed, &mut |_| {}).unwrap();
        true
    } else {
        false
    };
    let mut names: Vec<_> = fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["again", "to"]);
    let left: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "name"), "{left:?}");
    fs::remove_dir_all(&top).unwrap();
    whole
}

/// The same records come out wherever the bytes are cut, and are written to what reads the same.
fn records(cut: usize, data: &[u8]) {
    let read = |pieces: &[&[u8]]| {
        let (mut reader, mut records) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.push(piece);
            while let Some(record) = reader.take().ok()? {
                records.push(record);
            }
        }
        Some(records)
    };
    let whole = read(&[data]);
    let (first, second) = data.split_at(cut.min(data.len()));
    assert_eq!(whole, read(&[first, second]));
    if let Some(records) = whole {
        let mut written = Vec::new();
        records.iter().for_each(|record| record.write(&mut written));
        assert_eq!(read(&[&written]), Some(records));
    }
}
