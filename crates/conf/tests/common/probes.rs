//! Documents in one file, one below the other: `=== NAME`, the document, `--->`, what libvirt 9.0.0 makes of it.

/// `compared` gives what is expected and what is found, of a document and its result; blanks at the end do not count.
/// `result` is what stands between the two, with the end of the line before it where that is not the document's.
pub fn every(probes: &str, result: &str, compared: impl Fn(&str, &str) -> (String, String)) {
    let mut differing = 0;
    for probe in probes.split("=== ").filter(|probe| !probe.is_empty()) {
        let Some(((name, input), expected)) =
            probe.split_once(result).and_then(|(head, expected)| Some((head.split_once('\n')?, expected)))
        else {
            panic!("no result in {probe}");
        };
        let (expected, found) = compared(input, expected);
        if expected.trim_end() != found.trim_end() {
            eprintln!("---- {name}: expected\n{expected}\n---- found\n{found}");
            differing += 1;
        }
    }
    assert_eq!(differing, 0, "differ");
}
