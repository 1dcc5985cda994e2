//! What is shown only to who asks for it, wherever in a document it is.

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};

fn parse(disk: &str) -> Domain {
    let document = format!(
        "<domain type='lxc'><name>a</name><memory>1</memory><os><type>exe</type><init>/i</init></os><devices>\
         <disk type='network'>{disk}<target dev='sda'/></disk></devices></domain>"
    );
    let host = Host { arch: "x86_64", emulator: "/e", random: &|bytes| bytes.fill(1) };
    Domain::parse(document.as_bytes(), ParseOptions::default(), &host).expect("a domain").domain
}

fn source(inside: &str) -> String {
    format!("<source protocol='https' name='n'><host name='h' port='443'/>{inside}</source>")
}

#[test]
fn cookies_of_a_disk_and_of_its_backing_stores() {
    let (none, cookies) = (source(""), source("<cookies><cookie name='c'>hidden</cookie></cookies>"));
    let store = |source: &str, below: &str| {
        format!("<backingStore type='network'><format type='raw'/>{source}{below}</backingStore>")
    };
    for (what, disk) in [
        ("the disk", cookies.clone()),
        ("its store", none.clone() + &store(&cookies, "")),
        ("its store's store", none.clone() + &store(&none, &store(&cookies, ""))),
    ] {
        let domain = parse(&disk);
        assert!(domain.format(FormatOptions::Inactive).contains("hidden"), "{what}");
        assert!(domain.has_secrets(), "{what}");
        let shown = domain.without_secrets();
        assert!(!shown.has_secrets(), "{what}");
        let text = shown.format(FormatOptions::Inactive);
        assert!(!text.contains("cookie") && text.contains("protocol='https'"), "{what}: {text}");
    }
    assert!(!parse(&(none.clone() + &store(&none, ""))).has_secrets());
}
