//! `data/virtlxc-domain.rng`, the schema of our own elements, and our reader agree on what is right. A RELAX NG validator is
//! asked where there is one (`xmllint`, Debian's libxml2-utils).

use conf::domain::{Domain, Host, ParseOptions};
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

const RIGHT: &[&str] = &[
    "<v:container/>",
    "<v:container><v:idmap count='5'/><v:pids max='5'/><v:autostart order='1' delay='2'/></v:container>",
    "<v:container><v:isolation seccomp='on' masked-paths='off'/><v:sysctl name='net.a' value='1'/></v:container>",
    "<v:container><v:rlimit name='nofile' soft='1' hard='unlimited'/></v:container>",
    "<v:container><v:forward protocol='tcp' host-port='80' port='80'/><v:idmap/></v:container>",
    "<v:container><v:forward protocol='udp' address='1.2.3.4' host-port='80' port='80'/></v:container>",
    "<v:mount options='noexec' idmap='on'/>",
];

const WRONG: &[&str] = &[
    "<v:container><v:unheard-of/></v:container>",
    "<v:container><v:idmap count='x'/></v:container>",
    "<v:container><v:isolation seccomp='maybe'/></v:container>",
    "<v:container><v:rlimit name='unheard-of' soft='1' hard='1'/></v:container>",
    "<v:container><v:rlimit name='nofile'/></v:container>",
    "<v:container><v:sysctl name='a'/></v:container>",
    "<v:container><v:pids max='-1'/></v:container>",
    "<v:container><v:autostart order='x'/></v:container>",
    "<v:container><v:idmap count='0'/></v:container>",
    "<v:container><v:autostart order='86401'/></v:container>",
    "<v:container><v:autostart delay='86401'/></v:container>",
    "<v:container><v:idmap/><v:idmap/></v:container>",
    "<v:container><v:pids max='1'/><v:pids max='1'/></v:container>",
    "<v:container><v:isolation/><v:pids max='1'/><v:isolation/></v:container>",
    "<v:container><v:autostart/><v:autostart/></v:container>",
    "<v:container><v:mount/></v:container>",
    "<v:container><v:forward protocol='icmp' host-port='1' port='1'/></v:container>",
    "<v:container><v:forward protocol='tcp' host-port='70000' port='1'/></v:container>",
    "<v:mount idmap='maybe'/>",
    "<v:mount unheard-of='1'/>",
];

fn ours(element: &str) -> bool {
    let (top, inside) = if element.starts_with("<v:mount") { ("", element) } else { (element, "") };
    let document = format!(
        "<domain type='lxc' xmlns:v='urn:virtlxc:domain:1.0'><name>a</name><memory>1</memory><os><type>exe</type>\
         <init>/i</init></os><devices><filesystem><source dir='/a'/><target dir='/b'/>{inside}</filesystem>\
         <interface type='network'><source network='a'/></interface></devices>{top}</domain>"
    );
    let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
    Domain::parse(document.as_bytes(), ParseOptions { validate: true, live: false }, &host).is_ok()
}

/// `None`: there is no validator, on a machine that is not set up for all tests.
fn the_schema(element: &str) -> Option<bool> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/virtlxc-domain.rng");
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--relaxng", schema, "-"]).stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            assert!(std::env::var_os("VIRTLXC_ALL_TOOLS").is_none(), "xmllint is needed (Debian's libxml2-utils)");
            return None;
        }
        spawned => spawned.expect("xmllint is started"),
    };
    let end = element.find(['/', '>', ' ']).expect("an element");
    let document = format!("{} xmlns:v='urn:virtlxc:domain:1.0'{}", &element[..end], &element[end..]);
    child.stdin.take().expect("a pipe").write_all(document.as_bytes()).expect("it reads");
    Some(child.wait().expect("it ends").success())
}

#[test]
fn reader_and_schema_agree() {
    for (elements, right) in [(RIGHT, true), (WRONG, false)] {
        for element in elements {
            assert_eq!(ours(element), right, "our reader: {element}");
            if let Some(valid) = the_schema(element) {
                assert_eq!(valid, right, "the schema: {element}");
            }
        }
    }
}
