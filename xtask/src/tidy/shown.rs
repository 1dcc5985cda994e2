//! What docs/security.md says is shown by a test: such a test must be there.

use std::path::Path;

/// Every row of the table of faults that names no test, or one that there is not.
pub fn check(top: &Path, tracked: &[&str]) -> Vec<String> {
    let document = "docs/security.md";
    let read = |file: &str| std::fs::read_to_string(top.join(file)).unwrap_or_default();
    let sources: Vec<String> = tracked.iter().filter(|file| file.ends_with(".rs")).map(|file| read(file)).collect();
    let is_test = |name: &str| {
        let head = format!("fn {name}()");
        sources.iter().any(|text| text.split("#[test]").skip(1).any(|after| after.trim_start().starts_with(&head)))
    };
    let is_file = |name: &str| tracked.contains(&name);
    missing(&read(document), is_test, is_file)
        .into_iter()
        .map(|(line, why)| format!("{document}:{line}: {why}"))
        .collect()
}

fn missing(text: &str, is_test: impl Fn(&str) -> bool, is_file: impl Fn(&str) -> bool) -> Vec<(usize, String)> {
    let mut complaints = Vec::new();
    let rows = text.lines().enumerate().skip_while(|(_, line)| !line.contains("| shown by |")).skip(2);
    for (at, row) in rows.take_while(|(_, line)| line.starts_with('|')) {
        let shown = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
        let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            complaints.push((at + 1, "no test is named".to_string()));
        }
        let absent = names.into_iter().filter(|name| !is_test(name) && !is_file(name));
        complaints.extend(absent.map(|name| (at + 1, format!("there is no test `{name}`"))));
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn rows_name_what_there_is() {
        let text = "words\n\n| fault | shown by |\n|---|---|\n| a | `one`, `two` |\n| b | nothing |\n| c | `x/y.rs` |\n\n| d | `no` |\n";
        let found = missing(text, |name| name == "one", |name| name == "x/y.rs");
        assert_eq!(found, [(5, "there is no test `two`".to_string()), (6, "no test is named".to_string())]);
        assert_eq!(missing("nothing", |_| true, |_| true), []);
    }
}
