//! The recorded documents of domains: `NAME.in.xml` with what libvirt 9.0.0 makes of it, `NAME.out.xml` or `NAME.err`
//! (and the options of `define` in `NAME.opts`). Compared as text, after what a host may choose is made alike.

#[path = "common/probes.rs"]
mod probes;

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Cases that one document alone does not decide: the daemon's list of domains, or its file system, has a say.
const DAEMON: [&str; 4] = ["id-name-251", "id-name-252", "id-name-exists-other-uuid", "id-redefine-without-uuid"];

/// Cases in which we differ on purpose; `docs/differences.md` has the reasons.
const DIFFERENT: [&str; 3] = ["doc-validate-bad-value", "ns-value-escape", "os-inituser-escape"];

/// Cases that change when read again, as they do with libvirt: a USB device without address is written without the
/// source that the reader insists on; disks are sorted within a bus only where the document names the bus; a bandwidth
/// without limits is written empty, and an empty one is dropped.
const UNSTABLE: [&str; 3] = ["hostdev-usb-empty", "disk-sort-order", "if-bandwidth-zero"];

const EMULATOR: &str = "/usr/lib/libvirt/libvirt_lxc";

fn define(input: &[u8], validate: bool) -> Result<String, String> {
    try_define(input, validate).map_err(|e| e.message)
}

fn try_define(input: &[u8], validate: bool) -> Result<String, api::Error> {
    let seed = Cell::new(0x9e37_79b9_7f4a_7c15_u64);
    let random = |bytes: &mut [u8]| {
        for byte in bytes {
            seed.set(seed.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
            *byte = (seed.get() >> 56) as u8;
        }
    };
    let host = Host { arch: "x86_64", emulator: EMULATOR, random: &random };
    let parsed = Domain::parse(input, ParseOptions { validate, live: false }, &host)?;
    Ok(parsed.domain.without_secrets().format(FormatOptions::Inactive))
}

/// Replaces what stands between `before` and `after` wherever it is not in the input.
fn blank(text: &str, before: &str, after: char) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at + before.len());
        out.push_str(head);
        let end = tail.find(after).unwrap_or(0);
        out.push('@');
        rest = &tail[end..];
    }
    out + rest
}

fn normalised(text: &str, input: &str) -> String {
    let mut text = text.to_string();
    if !input.contains("<uuid>") {
        text = blank(&text, "<uuid>", '<');
    }
    if input.contains("<genid/>") || input.contains("<genid></genid>") {
        text = blank(&text, "<genid>", '<');
    }
    let interfaces = input.matches("<interface type=").count().max(1);
    if input.matches("<mac address=").count() < interfaces {
        text = blank(&text, "<mac address='52:54:00:", '\'');
    }
    for id in ["instanceid=", "interfaceid="] {
        if input.contains("<virtualport") && !input.contains(id) {
            text = blank(&text, &format!("{id}'"), '\'');
        }
    }
    text
}

/// A case that is not alike: its name, what is expected, what is found.
type Difference = (String, String, String);

/// How many cases there are, and those that differ.
fn differing(folder: &Path) -> io::Result<(usize, Vec<Difference>)> {
    let mut inputs: Vec<PathBuf> = fs::read_dir(folder)?.filter_map(|e| Some(e.ok()?.path())).collect();
    inputs.retain(|path| path.to_str().is_some_and(|name| name.ends_with(".in.xml")));
    inputs.sort();
    let mut differing = Vec::new();
    let mut cases = 0;
    for path in inputs {
        let case =
            path.file_name().and_then(|n| n.to_str()).unwrap_or_default().trim_end_matches(".in.xml").to_string();
        if DAEMON.contains(&case.as_str()) {
            continue;
        }
        cases += 1;
        let input = fs::read(&path)?;
        let beside = |extension: &str| fs::read_to_string(folder.join(format!("{case}.{extension}")));
        let validate = beside("opts").is_ok_and(|options| options.contains("--validate"));
        let found = match define(&input, validate) {
            Ok(document) => document,
            Err(message) => format!("error: Failed to define domain from {case}.in.xml\nerror: {message}\nrc=1\n"),
        };
        let expected = beside("out.xml").or_else(|_| beside("err"))?;
        let input = String::from_utf8_lossy(&input);
        let (expected, found) = (normalised(&expected, &input), normalised(&found, &input));
        if expected != found {
            differing.push((case, expected, found));
        }
    }
    Ok((cases, differing))
}

#[test]
fn every_recorded_document() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus-domain");
    let (cases, mut differing) = differing(&folder).expect("the corpus can be read");
    let on_purpose: Vec<String> = differing
        .iter()
        .filter(|(case, ..)| DIFFERENT.contains(&case.as_str()))
        .map(|(case, ..)| case.clone())
        .collect();
    differing.retain(|(case, ..)| !DIFFERENT.contains(&case.as_str()));
    for (case, expected, found) in &differing {
        eprintln!("---- {case}: expected\n{expected}---- found\n{found}");
    }
    assert!(differing.is_empty(), "{} of {cases} differ", differing.len());
    assert_eq!(on_purpose, DIFFERENT, "what differs on purpose");
}

/// What was written is read and written again without a change.
#[test]
fn written_documents_are_stable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus-domain");
    for entry in fs::read_dir(folder).expect("the corpus can be read").filter_map(Result::ok) {
        let path = entry.path();
        if !path.to_str().is_some_and(|name| name.ends_with(".in.xml")) {
            continue;
        }
        if UNSTABLE.iter().any(|case| path.ends_with(format!("{case}.in.xml"))) {
            continue;
        }
        let Ok(once) = define(&fs::read(&path).expect("readable"), false) else { continue };
        let twice = define(once.as_bytes(), false);
        assert_eq!(twice.as_ref(), Ok(&once), "{}", path.display());
    }
}

/// Documents that were once read otherwise than by libvirt 9.0.0, each with what libvirt makes of it; before an error stands
/// which part of libvirt says so.
#[test]
fn every_comparison() {
    probes::every(include_str!("domain_compared.txt"), "\n--->\n", |input, expected| {
        let found = match try_define(input.as_bytes(), false) {
            Ok(document) => document,
            Err(error) => format!("{} error: {}\n", error.domain as i32, error.message),
        };
        (normalised(expected, input), normalised(&found, input))
    });
}

/// Many more documents.
#[test]
fn every_probe() {
    probes::every(include_str!("domain_probes.txt"), "--->\n", |input, expected| {
        let found = match define(input.as_bytes(), false) {
            Ok(document) => document,
            Err(message) => format!("error: {message}\n"),
        };
        (normalised(expected, input), normalised(&found, input))
    });
}
