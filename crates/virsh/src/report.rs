//! How results are shown: tables and lists of names with values as libvirt's virsh lays them out, or JSON where
//! `--output json` asks for it.

use serde_json::{Map, Number, Value, json};
use unicode_width::UnicodeWidthStr;

/// A table: a blank before each cell, two behind, cells as wide as the column's widest. The header and the rule under it
/// are left out with `-q`.
pub fn table(headers: &[&str], rows: &[Vec<String>], quiet: bool) -> String {
    let shown: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| printable(cell)).collect()).collect();
    let header: Vec<String> = headers.iter().map(|title| (*title).to_string()).collect();
    let lines: Vec<&Vec<String>> = (!quiet).then_some(&header).into_iter().chain(&shown).collect();
    let widths: Vec<usize> = (0..headers.len())
        .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            out += " ";
            out += cell;
            if column + 1 < line.len() {
                let width = widths.get(column).copied().unwrap_or(0);
                out += &" ".repeat(width.saturating_sub(cell.width()) + 2);
            }
        }
        out += "\n";
        if at == 0 && !quiet {
            out += &"-".repeat(widths.iter().map(|width| width + 3).sum());
            out += "\n";
        }
    }
    out
}

/// Control characters as `\xNN`: a name, or what a guest says, must not move the reader's cursor.
pub fn printable(text: &str) -> String {
    escaped(text, &[])
}

/// The same of a text that may have several lines.
pub fn printable_lines(text: &str) -> String {
    escaped(text, &['\n', '\t'])
}

fn escaped(text: &str, but: &[char]) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c.is_control() && !but.contains(&c) {
            true => out += &format!("\\x{:02x}", c as u32),
            false => out.push(c),
        }
    }
    out
}

pub fn table_json(headers: &[&str], rows: &[Vec<String>]) -> Value {
    let object = |row: &Vec<String>| {
        let cells = headers.iter().zip(row).map(|(title, cell)| (key(title), cell.as_str()));
        Value::Object(members(cells))
    };
    Value::Array(rows.iter().map(object).collect())
}

pub fn pairs_json<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    Value::Object(members(pairs.map(|(name, value)| (key(name), value))))
}

fn members<'a>(pairs: impl Iterator<Item = (String, &'a str)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        // A quantity's unit goes into its name, so that the value is a number.
        let quantity = value.strip_suffix(" KiB").and_then(|digits| digits.parse::<u64>().ok());
        match quantity {
            Some(quantity) => object.insert(format!("{name}_kib"), json!(quantity)),
            None => object.insert(name, value_of(value)),
        };
    }
    object
}

/// `OS Type` becomes `os_type`, `CPU(s)` becomes `cpus`.
fn key(title: &str) -> String {
    let kept = title.trim_end().chars().filter(|c| !matches!(c, '(' | ')' | ':'));
    kept.map(|c| if c == ' ' || c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

pub fn value_of(text: &str) -> Value {
    match text {
        "-" => Value::Null,
        "yes" => Value::Bool(true),
        "no" => Value::Bool(false),
        _ => match text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from)) {
            // `007` is a name.
            Ok(number) if number.to_string() == text => Value::Number(number),
            _ => Value::String(text.to_string()),
        },
    }
}

/// Bytes in the largest unit that leaves a number of at least 1.
pub fn pretty_capacity(bytes: u64) -> (f64, &'static str) {
    const UNITS: [&str; 7] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    (value, UNITS.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_string()).collect()).collect()
    }

    #[test]
    fn tables_are_laid_out_as_recorded() {
        let headers = ["Id", "Name", "State"];
        assert_eq!(table(&headers, &[], false), " Id   Name   State\n--------------------\n");
        let domains = rows(&[&["6867", "xml-v1", "running"], &["-", "xml-v2", "shut off"]]);
        let expected = " Id     Name     State\n---------------------------\n 6867   xml-v1   running\n -      xml-v2   shut off\n";
        assert_eq!(table(&headers, &domains, false), expected);
        assert_eq!(table(&headers, &rows(&[&["1", "x", ""]]), true), " 1   x   \n");
        assert_eq!(table(&["A", "B"], &rows(&[&["é\u{1b}", "日本"]]), true), " é\\x1b   日本\n");
    }

    #[test]
    fn json_has_numbers_booleans_and_nulls() {
        let value = table_json(&["Id", "CPU(s)", "Max memory", "Name"], &rows(&[&["-", "2", "4 KiB", "007"]]));
        assert_eq!(value, json!([{"id": null, "cpus": 2, "max_memory_kib": 4, "name": "007"}]));
    }
}
