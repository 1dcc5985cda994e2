//! Links between the documents: each must lead to a tracked file, and behind `#` to a heading of it.

use crate::Result;
use std::path::{Component, Path, PathBuf};

/// Every link of a tracked Markdown file that leads nowhere.
pub fn check(top: &Path, tracked: &[&str]) -> Result<Vec<String>> {
    let read = |file: &Path| std::fs::read_to_string(top.join(file)).unwrap_or_default();
    let exists = |file: &Path| {
        tracked.iter().any(|name| Path::new(name) == file || Path::new(name).starts_with(file))
            && top.join(file).exists()
    };
    let mut complaints = Vec::new();
    for file in tracked.iter().filter(|file| file.ends_with(".md")) {
        for (line, target) in targets(&read(Path::new(file))) {
            if let Some(why) = broken(file, &target, exists, read) {
                complaints.push(format!("{file}:{line}: the link to {target} leads nowhere: {why}"));
            }
        }
    }
    Ok(complaints)
}

/// The targets of `[text](target)` with their lines, outside code, those of other hosts left out.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || line.starts_with("    ") {
            continue;
        }
        for part in line.split("](").skip(1) {
            let target = part.split([')', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                found.push((at + 1, target.to_string()));
            }
        }
    }
    found
}

fn broken(
    file: &str,
    target: &str,
    exists: impl Fn(&Path) -> bool,
    read: impl Fn(&Path) -> String,
) -> Option<&'static str> {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let here = Path::new(file);
    let to = if path.is_empty() { Some(here.to_path_buf()) } else { plain(&here.with_file_name("").join(path)) };
    let Some(to) = to.filter(|to| exists(to)) else { return Some("there is no such file in the project") };
    let known = |text: String| text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
    (!heading.is_empty() && !known(read(&to))).then_some("the file has no such heading")
}

/// Without `.` and `..`; None where it leads out of the project.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !plain.pop() => return None,
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars();
    let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::{broken, targets};
    use std::path::Path;

    #[test]
    fn links_are_found_outside_code() {
        let text = "see [a](b.md) and [c](d/e.md#f-g), [w](https://x/y)\n```\n[no](no)\n```\n    [no](no)\n[h](#i)\n";
        assert_eq!(targets(text), [(1, "b.md".to_string()), (1, "d/e.md#f-g".to_string()), (6, "#i".to_string())]);
    }

    #[test]
    fn a_link_leads_to_a_file_and_a_heading() {
        let exists = |path: &Path| ["README.md", "docs/a.md"].iter().any(|file| Path::new(file) == path);
        let read = |_: &Path| "# Top\n## What it is, and why\n".to_string();
        let why = |file: &str, target: &str| broken(file, target, exists, read);
        for good in ["../README.md", "a.md", "a.md#what-it-is-and-why", "#top", "./a.md"] {
            assert_eq!(why("docs/a.md", good), None, "{good}");
        }
        for bad in ["README.md", "b.md", "a.md#nothing", "../../README.md"] {
            assert!(why("docs/a.md", bad).is_some(), "{bad}");
        }
    }
}
