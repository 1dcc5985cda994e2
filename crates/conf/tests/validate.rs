//! `--validate`: whatever is not known at its place is refused, and the place is named. Shown on every recorded document
//! that is valid: into each of its elements something unknown is put, one at a time.

use conf::domain::{Domain, Host, ParseOptions};
use std::fs;
use std::path::Path;

fn validated(xml: &str) -> Result<(), String> {
    let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(7) };
    let how = ParseOptions { validate: true, live: false };
    Domain::parse(xml.as_bytes(), how, &host).map(drop).map_err(|error| error.message)
}

/// Where start tags of elements without namespace end, outside of what is the owners' business, with their names.
fn tags(xml: &str) -> Vec<(usize, &str, bool)> {
    let mut found = Vec::new();
    let mut foreign = 0;
    let mut at = 0;
    while let Some(open) = xml[at..].find('<').map(|offset| at + offset) {
        let skip = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        if let Some((_, end)) = skip.iter().find(|(start, _)| xml[open..].starts_with(start)) {
            at = open + xml[open..].find(end).map_or(xml.len() - open, |offset| offset + end.len());
            continue;
        }
        let Some(close) = xml[open..].find('>').map(|offset| open + offset) else { break };
        let tag = &xml[open + 1..close];
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').find(|word| !word.is_empty()).unwrap_or_default();
        let apart = name == "metadata" || name.contains(':') || tag.contains("xmlns=");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => foreign -= i32::from(apart && foreign > 0),
            (false, empty) => {
                if !apart && foreign == 0 {
                    found.push((close - usize::from(empty), name, empty));
                }
                foreign += i32::from(apart && !empty);
            }
        }
        at = close + 1;
    }
    found
}

#[test]
fn unknown_things_are_refused_at_every_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus-domain");
    let (mut documents, mut places) = (0, 0);
    for entry in fs::read_dir(folder).expect("the corpus can be read").filter_map(Result::ok) {
        let path = entry.path();
        if !path.to_str().is_some_and(|name| name.ends_with(".in.xml")) {
            continue;
        }
        let Ok(xml) = fs::read_to_string(&path) else { continue };
        if xml.contains("xmlns=") || xml.contains("<!DOCTYPE") || validated(&xml).is_err() {
            continue;
        }
        documents += 1;
        for (at, name, empty) in tags(&xml) {
            places += 1;
            let (head, tail) = xml.split_at(at);
            let line = format!("line {}: /domain", head.matches('\n').count() + 1);
            let attribute = format!("{head} unheard-of='1'{tail}");
            let message = validated(&attribute).expect_err(&attribute);
            assert!(message.contains("attribute 'unheard-of' is not known here"), "{}: {message}", path.display());
            assert!(message.contains("/domain"), "{message}");
            let inside = match empty {
                true => format!("{head}><unheard-of/></{name}>{}", &tail[2..]),
                false => format!("{head}><unheard-of/>{}", &tail[1..]),
            };
            let message = validated(&inside).expect_err(&inside);
            assert!(message.contains("<unheard-of>"), "{}: {name}: {message}", path.display());
            assert!(message.contains(&line), "{}: {line}: {message}", path.display());
        }
    }
    assert!(documents > 150 && places > 2_000, "{documents} documents, {places} places");
}

#[test]
fn what_a_change_of_a_network_drops_is_told() {
    use conf::network::{Section, dropped_from_update};
    for (section, xml, expect) in [
        (
            Section::IpDhcpHost,
            "<host name='a' ip='10.0.0.1' nam='b'/>",
            "line 1: /host: Invalid attribute nam for element host",
        ),
        (
            Section::IpDhcpRange,
            "<range><lease expiry='1'/><x/></range>",
            "line 1: /range/x: Element range has extra content: x",
        ),
        (Section::DnsHost, "<host ip='10.0.0.1'><hostname>a</hostname></host>", ""),
        (Section::Portgroup, "<portgroup name='a'><vlan><tag id='1'/></vlan></portgroup>", ""),
        (Section::DnsSrv, "<srv service='a' name='b'/>", "line 1: /srv: Invalid attribute name for element srv"),
    ] {
        assert_eq!(dropped_from_update(section, xml.as_bytes()).join("\n"), expect, "{xml}");
    }
}
