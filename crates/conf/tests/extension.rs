//! Our own elements: read, written as they were, refused with the reason, and out of the document where unused.

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};

fn parse(top: &str, devices: &str, validate: bool) -> Result<Domain, String> {
    let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
    let document = format!(
        "<domain type='lxc' xmlns:v='urn:virtlxc:domain:1.0'><name>a</name><memory>1</memory>\
         <os><type>exe</type><init>/i</init></os><devices>{devices}</devices>{top}</domain>"
    );
    let parsed = Domain::parse(document.as_bytes(), ParseOptions { validate, live: false }, &host);
    parsed.map(|parsed| parsed.domain).map_err(|e| e.message)
}

#[test]
fn everything_is_kept() {
    let inside = "    <virtlxc:idmap count='1000'/>\n    <virtlxc:isolation seccomp='off' masked-paths='on'/>\n    \
                  <virtlxc:rlimit name='nofile' soft='1024' hard='unlimited'/>\n    <virtlxc:sysctl \
                  name='net.ipv4.ip_forward' value='1'/>\n    <virtlxc:pids max='100'/>\n    <virtlxc:autostart order='2' \
                  delay='5'/>\n    <virtlxc:forward protocol='udp' address='10.0.0.1' host-port='53' port='5353'/>\n";
    let top = format!("<v:container>{}</v:container>", inside.replace("virtlxc:", "v:"));
    let filesystem =
        "<filesystem><source dir='/s'/><target dir='/t'/><v:mount options='nosuid' idmap='on'/></filesystem>";
    let text = parse(&top, filesystem, true).expect("valid").format(FormatOptions::Inactive);
    assert!(text.starts_with("<domain type='lxc' xmlns:virtlxc='urn:virtlxc:domain:1.0'>\n"), "{text}");
    assert!(text.contains(&format!("  <virtlxc:container>\n{inside}  </virtlxc:container>\n")), "{text}");
    assert!(text.contains("      <virtlxc:mount options='nosuid' idmap='on'/>\n    </filesystem>\n"), "{text}");
    let unused = parse("<v:container/>", "", true).expect("valid").format(FormatOptions::Inactive);
    assert!(!unused.contains("virtlxc"), "{unused}");
}

#[test]
fn what_is_wrong_is_refused() {
    for (inside, expect) in [
        (
            "<v:pids max='x'/>",
            "Invalid value for attribute 'max' in element 'virtlxc:pids': 'x'. Expected a number up to",
        ),
        ("<v:rlimit name='zz' soft='1' hard='1'/>", "Expected one of as, core"),
        ("<v:rlimit name='nofile' soft='5' hard='1'/>", "Expected no more than 'hard'"),
        ("<v:rlimit name='nofile' soft='5'/>", "Missing required attribute 'hard' in element 'virtlxc:rlimit'"),
        ("<v:sysctl name='../x' value='1'/>", "Expected a name as sysctl(8) takes it"),
        ("<v:isolation seccomp='yes'/>", "Expected 'on' or 'off'"),
        ("<v:forward host-port='0' port='1'/>", "Expected a port"),
    ] {
        let error = parse(&format!("<v:container>{inside}</v:container>"), "", false).expect_err(inside);
        assert!(error.contains(expect), "{inside}: {error}");
    }
    for (top, expect) in [
        ("<v:container><v:what/></v:container>", "/domain/v:container/v:what: not known; allowed: idmap"),
        ("<v:container a='1'/>", "/domain/v:container: attribute 'a' is not known here; allowed: nothing"),
        ("<v:container><pids max='3'/></v:container>", "/domain/v:container/pids: has to be in the namespace"),
        (
            "<v:container><v:pids max='3'><v:x/></v:pids></v:container>",
            "/v:pids/v:x: not known; nothing is allowed here",
        ),
        ("<v:container><v:pids max='3'>3</v:pids></v:container>", "/v:pids: text has no place here"),
        ("<v:pids max='3'/>", "/domain/v:pids: not known; allowed: container"),
    ] {
        let error = parse(top, "", true).expect_err("unknown");
        assert!(error.contains(expect), "{error}");
        assert!(parse(top, "", false).is_ok(), "{top}");
    }
}
