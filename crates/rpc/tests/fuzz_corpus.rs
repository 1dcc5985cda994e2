//! What the coverage-guided fuzzer has found worth keeping of streams (`fuzz/archive.corpus`), and what it begins from, put
//! through the fuzzer's checks.

use rpc::archive::pack;
use std::fs;
use std::os::unix::fs::symlink;

#[path = "../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../fuzz/streams.rs"]
mod streams;

/// One after the other: they use one folder.
#[test]
fn records_and_archives() {
    let inputs = corpus::inputs(include_bytes!("../../../fuzz/archive.corpus"));
    assert!(inputs.len() > 50, "{} inputs", inputs.len());
    inputs.iter().for_each(|input| _ = streams::check(input));

    let folder = std::env::temp_dir().join(format!("virtlxc-packed-{}", std::process::id()));
    fs::create_dir_all(folder.join("below")).unwrap();
    fs::write(folder.join("below/file"), "words").unwrap();
    symlink("below/file", folder.join("link")).unwrap();
    let mut packed = vec![1];
    pack(&folder, &mut packed, &mut |_| {}).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert!(streams::check(&packed));
    for at in 1..packed.len() {
        assert!(!streams::check(&packed[..at]), "cut at {at}");
        let mut spoilt = packed.clone();
        spoilt[at] ^= 1 << (at % 8);
        streams::check(&spoilt);
    }
}
