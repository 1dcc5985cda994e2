//! `cargo xtask tidy`: the house rules that a program can check: over every tracked file, cargo's own view of the crates, and
//! what rustfmt and clippy say.
//!
//! Each rule is a function from what was read to complaints, so that the tests below can show it text.

mod links;
mod shown;
mod walls;

use crate::{Result, codegen, run};
use std::path::Path;
use std::process::Command;

/// Above this, its tests aside, a source file holds more than one subject; generated tables say so in their first lines and
/// are let off.
const LONGEST: usize = 700;

/// Module names that say nothing about what is inside.
const NAMELESS: [&str; 4] = ["util.rs", "utils.rs", "common.rs", "helpers.rs"];

/// Marks of unfinished work. Written in halves, since this file is checked too.
const UNFINISHED: [&str; 6] = [
    concat!("to", "do!"),
    concat!("unimpl", "emented!"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("HA", "CK"),
    concat!("db", "g!("),
];

/// What switches a lint or a test off, in halves too.
const SWITCHES: [&str; 3] = [concat!("#[all", "ow("), concat!("#![all", "ow("), concat!("#[ign", "ore")];

pub fn command(arguments: &[String]) -> Result<u8> {
    if let Some(argument) = arguments.first() {
        return Err(format!("tidy takes no argument, '{argument}' was given"));
    }
    let complaints = check()?;
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    match complaints.len() {
        0 => Ok(0),
        count => Err(format!("{count} house rules are broken")),
    }
}

/// Every broken rule, as `file:line: what`.
pub fn check() -> Result<Vec<String>> {
    let top = run::top()?;
    let listed = tracked(&top)?;
    let mut complaints = Vec::new();
    for file in listed.iter().map(String::as_str).filter(|file| *file != "Cargo.lock") {
        let Ok(text) = std::fs::read_to_string(top.join(file)) else { continue };
        complaints.extend(machine_paths(file, &text));
        if file.ends_with(".rs") {
            complaints.extend(source(file, &text));
        }
    }
    let tracked: Vec<&str> = listed.iter().map(String::as_str).collect();
    complaints.extend(links::check(&top, &tracked)?);
    complaints.extend(shown::check(&top, &tracked));
    complaints.extend(walls::check()?);
    complaints.extend(codegen::command(&["--check".to_string()]).err());
    let tools: [&[&str]; 2] = [
        &["fmt", "--all", "--check"],
        &["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"],
    ];
    for arguments in tools {
        // They say themselves where and what.
        complaints.extend(run::run(run::cargo()?.args(arguments)).err());
    }
    Ok(complaints)
}

/// The project's files: those that git knows, whoever owns the tree; all there are where it is no clone, or there is no git.
fn tracked(top: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached"]).current_dir(top);
    if let Ok(listed) = run::output(&mut git) {
        return Ok(listed.split('\0').filter(|file| !file.is_empty()).map(str::to_string).collect());
    }
    let (mut files, mut folders) = (Vec::new(), vec![top.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_made = path.file_name().is_some_and(|name| name == "target" || name == ".git");
            if path.is_dir() && !path.is_symlink() {
                folders.extend((!is_made).then_some(path));
            } else if let Some(file) = path.strip_prefix(top).ok().and_then(Path::to_str) {
                files.push(file.to_string());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Folders of the machine that a file was written on have no place in the project.
fn machine_paths(file: &str, text: &str) -> Vec<String> {
    let named = |line: &str| {
        ["/root/", "/home/", "/work/", "/farm/"].into_iter().any(|folder| {
            line.match_indices(folder).any(|(at, _)| {
                let after = line.get(at + folder.len()..).unwrap_or_default();
                after.starts_with(|next: char| next.is_ascii_alphabetic() || next == '.')
            })
        })
    };
    let lines = text.lines().enumerate().filter(|(_, line)| named(line));
    lines.map(|(at, _)| format!("{file}:{}: names a folder of a development machine", at + 1)).collect()
}

/// The rules for Rust source.
fn source(file: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let generated = text.lines().take(5).any(|line| line.contains("generated") || line.contains("do not edit"));
    if !text.starts_with("//!") && !generated {
        complaints.push(format!("{file}:1: no header comment that says what the file does and why"));
    }
    let length = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    if length > LONGEST && !generated {
        complaints.push(format!("{file}: {length} lines: one subject fits in {LONGEST}"));
    }
    if Path::new(file).file_name().is_some_and(|name| NAMELESS.iter().any(|nameless| name == *nameless)) {
        complaints.push(format!("{file}: a module's name is to say what is inside"));
    }
    if is_crate_root(file) && !file.starts_with("crates/linux/") && !text.contains("#![forbid(unsafe_code)]") {
        complaints.push(format!("{file}: every crate but linux forbids unsafe code"));
    }
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        for mark in UNFINISHED.iter().filter(|mark| holds_word(line, mark)) {
            complaints.push(format!("{file}:{}: '{mark}' is unfinished work", at + 1));
        }
        if !file.starts_with("crates/linux/") && holds_word(code_of(line), "unsafe") {
            complaints.push(format!("{file}:{}: unsafe outside the linux crate", at + 1));
        }
        if SWITCHES.iter().any(|switch| line.contains(switch)) && !excused(&lines, at) {
            complaints.push(format!("{file}:{}: a lint or test switched off without a reason beside it", at + 1));
        }
    }
    complaints
}

/// Whether the attribute gives its reason, or a plain comment beside or above it does.
fn excused(lines: &[&str], at: usize) -> bool {
    let attribute = lines.iter().skip(at).take(4);
    let above = at.checked_sub(1).and_then(|above| lines.get(above)).map_or("", |above| above.trim_start());
    attribute.clone().any(|line| line.contains("reason ="))
        || lines.get(at).is_some_and(|line| line.contains("// "))
        || above.starts_with("// ")
}

fn is_crate_root(file: &str) -> bool {
    let in_src = file.rsplit_once('/').is_some_and(|(dir, _)| dir.ends_with("/src") || dir == "src");
    in_src && (file.ends_with("/main.rs") || file.ends_with("/lib.rs"))
}

/// The line without its comment, and without string literals that would only name a thing.
fn code_of(line: &str) -> &str {
    let code = line.split("//").next().unwrap_or_default();
    match code.contains('"') {
        true => "",
        false => code,
    }
}

/// Whether the text holds the word with no letter, digit or underscore around it.
fn holds_word(text: &str, word: &str) -> bool {
    let inner = |next: char| next.is_ascii_alphanumeric() || next == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(inner) && !after.starts_with(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::{machine_paths, source};

    #[test]
    fn a_development_path_is_found_and_a_guest_path_is_not() {
        let path = |parts: [&str; 2]| parts.concat();
        assert_eq!(machine_paths("a", &path(["x\ncp /wo", "rk/me /tmp"])).len(), 1);
        assert_eq!(machine_paths("a", "the folder /root/ and /homes/me and /network/x"), Vec::<String>::new());
    }

    #[test]
    fn rules_for_source() {
        let table: [(&str, &str, &str); 7] = [
            ("crates/lxc/src/start.rs", "//! x\nfn f() {}\n", ""),
            ("crates/lxc/src/start.rs", "fn f() {}\n", "no header comment"),
            ("crates/lxc/src/util.rs", "//! x\n", "what is inside"),
            ("crates/lxc/src/lib.rs", "//! x\n", "forbids unsafe"),
            ("crates/lxc/src/start.rs", "//! x\nunsafe { f() }\n", "outside the linux crate"),
            ("crates/linux/src/start.rs", "//! x\nunsafe { f() }\n", ""),
            ("crates/linux/src/start.rs", concat!("//! x\n#[all", "ow(dead_code)]\nfn f() {}\n"), "without a reason"),
        ];
        for (file, text, complaint) in table {
            let found = source(file, text).join("\n");
            assert!(found.contains(complaint) && found.is_empty() == complaint.is_empty(), "{file} {text:?}: {found}");
        }
    }

    #[test]
    fn a_word_stands_alone() {
        assert!(super::holds_word("an unsafe block", "unsafe"));
        assert!(!super::holds_word("forbid(unsafe_code)", "unsafe"));
    }
}
