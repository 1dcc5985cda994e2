//! Documents made to hurt: each is refused, or taken, within seconds and without much memory, even by a debug build.

use conf::domain::{Device, Domain, Host, ParseOptions};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// For what takes a second at most in a debug build on an idle machine.
const SHORT: Duration = Duration::from_secs(30);

fn parse(document: &[u8]) -> Result<(), String> {
    let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
    let start = Instant::now();
    let result = Domain::parse(document, ParseOptions::default(), &host).map(drop).map_err(|e| e.message);
    let _ = Device::parse(document, ParseOptions::default(), &host);
    assert!(start.elapsed() < PATIENCE, "it took {:?}", start.elapsed());
    result
}

fn ours(inside: &str) -> String {
    format!("<v:container xmlns:v='urn:virtlxc:domain:1.0'>{inside}</v:container>")
}

fn domain(top: &str, devices: &str) -> String {
    format!(
        "<domain type='lxc'><name>a</name>{top}<memory>1</memory><os><type>exe</type><init>/i</init></os>\
         <devices>{devices}</devices></domain>"
    )
}

#[test]
fn large_deep_and_wide() {
    let many: String = (0..1_000_000).map(|i| format!(" a{i}='1'")).collect();
    for (what, document) in [
        ("100 MB", vec![b' '; 100 << 20]),
        ("100 MB of text", [b"<domain>".to_vec(), vec![b'x'; 100 << 20]].concat()),
        ("10,000 nested elements", "<domain>".repeat(10_000).into_bytes()),
        ("a million attributes", format!("<domain{many}/>").into_bytes()),
        ("no UTF-8", b"<domain type='lxc'><name>\xff\xfe</name></domain>".to_vec()),
        ("zeros", vec![0; 1 << 20]),
        ("namespaces", {
            let names: String = (0..100_000).map(|i| format!(" xmlns:a{i}='u'")).collect();
            format!("<domain{names}>{}</domain>", "<x/>".repeat(300_000)).into_bytes()
        }),
        ("an open tag", b"<".repeat(1 << 20)),
    ] {
        assert!(parse(&document).is_err(), "{what} was taken");
    }
}

#[test]
fn entity_bombs() {
    let nested: String = (1..10).map(|i| format!("<!ENTITY e{i} '{}'>", format!("&e{};", i - 1).repeat(10))).collect();
    let bomb = format!("<!DOCTYPE d [<!ENTITY e0 'ha'>{nested}]><domain type='lxc'><name>&e9;</name></domain>");
    let wide = format!(
        "<!DOCTYPE d [<!ENTITY e '{}'>]><domain type='lxc'><name>{}</name></domain>",
        "x".repeat(20_000),
        "&e;".repeat(10_000)
    );
    let itself = "<!DOCTYPE d [<!ENTITY e '&e;'>]><domain type='lxc'><name>&e;</name></domain>";
    let file = "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain type='lxc'><name>&e;</name></domain>";
    for document in [bomb.as_str(), &wide, itself, file] {
        assert!(parse(document.as_bytes()).is_err(), "{}", &document[..60]);
    }
}

#[test]
fn many_of_one_kind() {
    let numbered = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    for (what, document) in [
        (
            "host devices",
            domain(
                "",
                &numbered(10_000, &|i| {
                    format!("<hostdev mode='capabilities' type='misc'><source><char>/dev/{i}</char></source></hostdev>")
                }),
            ),
        ),
        ("disks", domain("", &"<disk type='block'><source dev='/d'/><target dev='sda'/></disk>".repeat(2_000))),
        (
            "named disks",
            domain(
                "",
                &numbered(1_000, &|i| {
                    let name: String =
                        [i / 676, i / 26 % 26, i % 26].iter().map(|n| char::from(b'a' + *n as u8)).collect();
                    format!("<disk type='block'><source dev='/d'/><target dev='sd{name}'/></disk>")
                }),
            ),
        ),
        ("controllers", domain("", &"<controller type='scsi'/>".repeat(5_000))),
        ("serial ports", domain("", &"<serial type='pty'/>".repeat(5_000))),
        ("smart cards", domain("", &"<smartcard mode='host'/>".repeat(5_000))),
        ("consoles", domain("", &"<console type='pty'/>".repeat(10_000))),
        ("unknown elements", domain("", &"<what/>".repeat(20_000))),
        ("unknown elements of ours", domain(&ours(&"<v:x/>".repeat(200_000)), "")),
        (
            "unknown attributes of ours",
            domain(&ours(&format!("<v:pids max='1'{}/>", numbered(5_000, &|i| format!(" a{i}='1'")))), ""),
        ),
        (
            "shares without their namespace",
            domain(
                &format!(
                    "<l:namespace xmlns:l='http://libvirt.org/schemas/domain/lxc/1.0'>{}</l:namespace>",
                    "<shareipc type='none' value=''/>".repeat(200_000)
                ),
                "",
            ),
        ),
        ("stray text", domain("", &"x<!-- -->".repeat(200_000))),
        ("ids", domain(&format!("<idmap>{}</idmap>", "<uid start='0' target='1' count='1'/>".repeat(20_000)), "")),
        (
            "pins",
            domain(
                &format!(
                    "<vcpu>100000</vcpu><cputune>{}</cputune>",
                    numbered(1_000, &|i| { format!("<vcpupin vcpu='{i}' cpuset='0-16383'/>") })
                ),
                "",
            ),
        ),
        ("threads", domain("<iothreads>4294967295</iothreads>", "")),
        (
            "cells",
            domain(
                &format!(
                    "<cpu><numa>{}</numa></cpu>",
                    numbered(5_000, &|i| { format!("<cell id='{i}' memory='1'/>") })
                ),
                "",
            ),
        ),
        (
            "metadata",
            domain(
                &format!("<metadata>{}</metadata>", numbered(5_000, &|i| { format!("<a:x xmlns:a='urn:{i}'/>") })),
                "",
            ),
        ),
        (
            "a far address",
            domain(
                "",
                "<disk type='block'><source dev='/d'/><target dev='sda'/><address type='drive' \
            controller='4294967295'/></disk>",
            ),
        ),
        ("labels", domain(&numbered(5_000, &|i| format!("<seclabel type='none' model='m{i}'/>")), "")),
    ] {
        let started = Instant::now();
        let _ = parse(document.as_bytes());
        eprintln!("{what}: {:?}", started.elapsed());
    }
}

/// What grows with the square of the document, or with numbers in it, takes minutes here.
#[test]
fn sections_pins_and_resources() {
    let numbered = |count: usize, text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<String>();
    let tuned = |inside: String| domain(&format!("<vcpu>16384</vcpu><cputune>{inside}</cputune>"), "");
    let threads = format!("<iothreads>30000</iothreads><cputune>{}</cputune>", {
        numbered(30_000, &|i| format!("<iothreadpin iothread='{}' cpuset='0'/>", 30_000 - i))
    });
    let ids = numbered(100, &|i| format!("<!ENTITY e{i} ''>"));
    let nothing = format!("<!ENTITY f '{}'>", "&e99;".repeat(800)).repeat(1_000);
    let names = ["os", "clock", "features", "cputune", "memtune"];
    for (what, taken, document) in [
        ("attributes", false, domain(&numbered(100_000, &|i| format!("<os a{i}=''/>")), "")),
        ("sections", true, domain(&numbered(100_000, &|i| format!("<{}/>", names[i % 5])), "")),
        ("the same attributes", true, domain(&numbered(100_000, &|i| format!("<clock a{}=''/>", i % 900)), "")),
        ("empty shares", true, tuned("<memorytune vcpus='0-16383'/>".repeat(100_000))),
        (
            "shares",
            true,
            tuned(numbered(20_000, &|i| {
                format!("<memorytune vcpus='0-16383'><node id='{i}' bandwidth='1'/></memorytune>")
            })),
        ),
        (
            "shares behind one",
            true,
            tuned(format!(
                "<memorytune vcpus='0'><node id='0' bandwidth='1'/></memorytune>{}",
                "<memorytune vcpus='1-16383'/>".repeat(50_000)
            )),
        ),
        (
            "monitors",
            true,
            tuned(format!(
                "<memorytune vcpus='0-16383'>{}</memorytune>",
                numbered(16_384, &|i| format!("<monitor vcpus='{i}'/>"))
            )),
        ),
        ("pins of threads", true, domain(&threads, "")),
        ("entities of nothing", true, format!("<!DOCTYPE d [{ids}{nothing}]>{}", domain("", ""))),
    ] {
        let started = Instant::now();
        let found = parse(document.as_bytes());
        eprintln!("{what}: {:?}, {} bytes", started.elapsed(), document.len());
        assert_eq!(found.is_ok(), taken, "{what}: {found:?}");
        assert!(started.elapsed() < SHORT, "{what} took {:?}", started.elapsed());
    }
}

#[test]
fn complaints_are_some() {
    for (what, document) in [
        ("elements of ours", domain(&ours(&"<v:x/>".repeat(200)), "")),
        ("text", domain("", &"x<!-- -->".repeat(200))),
        ("all", domain(&ours(&"<v:x/>".repeat(200)), &"<what/>".repeat(200))),
    ] {
        assert_eq!(conf::domain::dropped(document.as_bytes()).len(), 50, "{what}");
    }
}

#[test]
fn an_id_map_as_the_kernel_takes_it() {
    let map = |count: u32| {
        let entry = |i: u32| conf::domain::IdMapEntry { start: i, target: 1000 + i, count: 1 };
        let ids: Vec<_> = (0..count).map(entry).collect();
        conf::domain::IdMap { uids: ids.clone(), gids: ids }
    };
    assert_eq!(map(340).check(), Ok(()));
    let mut long = map(340);
    long.gids.iter_mut().for_each(|entry| entry.target += 100_000);
    let error = long.check().expect_err("more than a page");
    assert!(error.message.contains("<gid> take 4310 bytes: fewer than 4096 are possible"), "{}", error.message);
    let started = Instant::now();
    for count in [341, 300_000] {
        let error = map(count).check().expect_err("too many");
        assert!(error.message.contains(&format!("{count} ranges <uid>: at most 340")), "{}", error.message);
    }
    assert!(started.elapsed() < PATIENCE);
}
