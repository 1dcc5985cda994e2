//! Recorded documents of networks: what goes in comes out, or is refused, as with libvirt 9.0.0.

#[path = "common/probes.rs"]
mod probes;

use api::{Result, Uuid};
use conf::Mac;
use conf::network::{Facts, Network};
use std::fs;
use std::path::{Path, PathBuf};

/// Where we differ on purpose; docs/differences.md says why.
const DIFFERENT: &[&str] = &[
    // libvirt does not escape it: its own reader refuses the file afterwards.
    "dhcp-host-name-escape",
    // After libvirt's words the place is named.
    "unknown-elements-validate",
];

fn facts() -> Facts<'static> {
    Facts { new_uuid: Uuid([0xee; 16]), is_virtual_function: &|_| false }
}

/// What `net-define` does, with one network `virbr0` (and one more) already there.
fn define(xml: &[u8], validate: bool, other: Option<&Network>) -> Result<Network> {
    let mut default =
        Network::parse(b"<network><name>default</name><bridge name='virbr0'/></network>", false, &facts())?;
    default.uuid = Uuid([0xdd; 16]);
    let mut network = Network::parse(xml, validate, &facts())?;
    let others = || std::iter::once(&default).chain(other);
    network.refuse_shared_bridge(others())?;
    network.complete(Mac([0x52, 0x54, 0, 0xee, 0xee, 0xee]), &|name| name == "virbr0")?;
    network.refuse_shared_name(others())?;
    Ok(network)
}

/// The text without what was drawn at random, where the document leaves it open.
fn comparable(text: &str, input: &str) -> String {
    let drawn = |line: &&str| {
        let line = line.trim_start();
        line.starts_with("<uuid>") && !input.contains("<uuid>")
            || line.starts_with("<mac address") && !input.contains("<mac address")
    };
    text.lines().filter(|line| !drawn(line)).collect::<Vec<_>>().join("\n")
}

fn check(path: &Path) -> std::result::Result<(), String> {
    let case = |extension: &str| fs::read_to_string(path.with_extension("").with_extension(extension)).ok();
    let input = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let validate = case("opts").is_some_and(|options| options.contains("--validate"));
    let other = case("pre.xml").map(|xml| Network::parse(xml.as_bytes(), false, &facts()).map_err(|e| e.message));
    let result = define(input.as_bytes(), validate, other.transpose()?.as_ref());
    let expected = match (case("out.xml"), case("err")) {
        (Some(out), _) => comparable(&out, &input),
        (None, Some(err)) => {
            let words: Vec<&str> = err.lines().filter(|line| !line.starts_with("error: Failed to define")).collect();
            words.join("\n").trim_end_matches("rc=1").trim().to_string()
        }
        (None, None) => return Err("no recorded result".into()),
    };
    let got = match &result {
        Ok(network) => comparable(&network.format(), &input),
        Err(error) => format!("error: {}", error.message).trim().to_string(),
    };
    if let Ok(network) = &result {
        let again = Network::parse(network.format().as_bytes(), false, &facts()).map_err(|e| e.message)?;
        if again != *network {
            return Err(format!("read again it differs:\n{}\n{}", network.format(), again.format()));
        }
        let status = Network::parse_status(network.format_status().as_bytes(), "status").map_err(|e| e.message)?;
        if status != *network {
            return Err(format!("the status file loses something:\n{}", network.format_status()));
        }
    }
    match got == expected {
        true => Ok(()),
        false => Err(format!("--- expected\n{expected}\n--- got\n{got}")),
    }
}

#[test]
fn every_recorded_document() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus-network");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.to_string_lossy().ends_with(".in.xml"));
    cases.sort();
    assert!(cases.len() > 150);
    let mut failed = Vec::new();
    for path in &cases {
        let name = path.file_name().unwrap().to_string_lossy().trim_end_matches(".in.xml").to_string();
        match (check(path), DIFFERENT.contains(&name.as_str())) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => failed.push(format!("{name}: is alike, but listed as different")),
            (Err(why), false) => failed.push(format!("{name}: {why}")),
        }
    }
    assert!(failed.is_empty(), "{} of {} differ\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

/// Documents that were once read otherwise than by libvirt 9.0.0, each with what libvirt makes of it; before an error stands
/// which part of libvirt says so.
#[test]
fn every_comparison() {
    probes::every(include_str!("network_compared.txt"), "\n--->\n", |input, expected| {
        let defined = Network::parse(input.as_bytes(), false, &facts()).and_then(|mut network| {
            network.complete(Mac([0x52, 0x54, 0, 0xee, 0xee, 0xee]), &|_| false)?;
            Ok(network.format())
        });
        let found = match defined {
            Ok(document) => comparable(&document, input),
            Err(error) => format!("{} error: {}", error.domain as i32, error.message),
        };
        let expected = if expected.starts_with('<') { comparable(expected, input) } else { expected.to_string() };
        (expected, found)
    });
}

/// Text that would end a line of dnsmasq's files is refused where a network is defined, changed or started.
#[test]
fn lines_of_dnsmasq_stay_lines() {
    let check = |inside: &str, expect: Option<&str>| {
        let xml = format!("<network><name>n</name><bridge name='b'/>{inside}</network>");
        let network = Network::parse(xml.as_bytes(), false, &facts()).expect("read as by libvirt");
        let found = network.check_lines(None).map_err(|error| error.message);
        match expect {
            None => assert_eq!(found, Ok(()), "{inside}"),
            Some(what) => assert!(found.expect_err(inside).contains(what), "{inside}"),
        }
    };
    check("<dns><txt name='a' value='b c'/></dns>", None);
    check(
        "<dns><txt name='a' value='b&#10;dhcp-script=/x'/></dns>",
        Some("<txt value> 'b\\ndhcp-script=/x' of network 'n'"),
    );
    check("<dns><txt name='a' value='b&#9;c&#x85;&#x2028;'/></dns>", None);
    check("<dns><txt name='a' value='b&#13;c'/></dns>", Some("<txt value> 'b\\rc' of network 'n'"));
    check("<domain name='a&#10;b'/>", Some("<domain name>"));
    check("<dns><forwarder domain='a&#10;b'/></dns>", Some("<forwarder>"));
    check("<dns><srv service='s' protocol='tcp' target='a&#10;b'/></dns>", Some("<srv>"));
    check("<dns><host ip='10.0.0.1'><hostname>a&#10;b</hostname></host></dns>", Some("<hostname>"));
    check("<ip address='10.0.0.1' prefix='24'><tftp root='/a&#10;b'/></ip>", Some("<tftp root>"));
    check(
        "<ip address='10.0.0.1' prefix='24'><dhcp><host mac='00:16:3e:00:00:01' name='a&#10;b' ip='10.0.0.2'/></dhcp></ip>",
        Some("<host>"),
    );
}

/// What an earlier version stored is no obstacle to a change of something else, nor to its own removal.
#[test]
fn a_line_that_was_there_is_mended_step_by_step() {
    let network = |inside: &str| {
        let xml = format!("<network><name>n</name><bridge name='b'/><dns>{inside}</dns></network>");
        Network::parse(xml.as_bytes(), false, &facts()).expect("read as by libvirt")
    };
    let bad = |name: &str| format!("<txt name='{name}' value='b&#10;c'/>");
    let stored = network(&[bad("x"), bad("y")].concat().replace("name='y' value='b", "name='y' value='d"));
    let mended = network(&bad("x"));
    assert!(stored.check_lines(None).is_err() && mended.check_lines(None).is_err());
    assert_eq!(mended.check_lines(Some(&stored)), Ok(()));
    assert_eq!(network("").check_lines(Some(&mended)), Ok(()));
    let worse = stored.check_lines(Some(&mended)).expect_err("a new one");
    assert!(worse.message.contains("'d\\nc'"), "{}", worse.message);
}

/// Each is looked up among all before it: not one by one.
#[test]
fn many_of_a_kind() {
    let many = |one: &dyn Fn(usize) -> String| (0..100_000).map(one).collect::<String>();
    for (inside, expect) in [
        (many(&|i| format!("<portgroup name='p{i}'/>")), None),
        (many(&|i| format!("<portgroup name='p{}'/>", i % 99_999)), Some("with the same name (p0)")),
        (format!("<forward>{}</forward>", many(&|i| format!("<interface dev='e{i}'/>"))), Some("no IP address")),
        (
            format!("<forward>{}</forward>", many(&|i| format!("<interface dev='e{}'/>", i % 99_999))),
            Some("interface 'e0' can only be listed once"),
        ),
    ] {
        let started = std::time::Instant::now();
        let found = Network::parse(format!("<network><name>n</name>{inside}</network>").as_bytes(), false, &facts());
        match (found, expect) {
            (Ok(_), None) => {}
            (Err(error), Some(words)) => assert!(error.message.contains(words), "{}", error.message),
            (found, expect) => panic!("{:?} instead of {expect:?}", found.map(|_| ())),
        }
        assert!(started.elapsed().as_secs() < 20, "{expect:?} took {:?}", started.elapsed());
    }
}
