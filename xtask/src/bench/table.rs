//! The measurements as a table for people: medians, and how many times the kernel's work that is.

use serde_json::Value;

const COLUMNS: [(&str, &str); 4] =
    [("start", "start"), ("start_net", "start, network"), ("destroy", "destroy"), ("destroy_net", "destroy, network")];

pub fn shown(result: &Value) -> String {
    let (Some(programs), kernel) = (result["programs"].as_array(), &result["kernel"]) else {
        return fields(result, "");
    };
    let mut text = format!("{:<18}", "medians in ms");
    for (_, title) in COLUMNS {
        text += &format!("{title:>20}");
    }
    text += &format!("{:>26}\n", "controller, KiB anon/RSS");
    for program in std::iter::once(kernel).chain(programs) {
        text += &format!("{:<18}", program["name"].as_str().unwrap_or_default());
        for (key, _) in COLUMNS {
            text += &format!("{:>20}", cell(program, kernel, key));
        }
        let memory = &program["controller_kib"];
        if memory.is_object() {
            text += &format!("{:>26}", format!("{}/{}", memory["anonymous"], memory["rss"]));
        }
        text = text.trim_end().to_string() + "\n";
    }
    text
}

/// The median, and in brackets its multiple of the kernel's.
fn cell(program: &Value, kernel: &Value, key: &str) -> String {
    let Some(median) = program[key]["median"].as_f64() else { return "-".into() };
    match kernel[key]["median"].as_f64() {
        Some(least) if program["name"] != kernel["name"] => format!("{median:.2} ({:.1}x)", median / least),
        _ => format!("{median:.2}"),
    }
}

/// One line a figure.
fn fields(result: &Value, before: &str) -> String {
    let Some(all) = result.as_object() else { return String::new() };
    let lines = all.iter().map(|(name, value)| match value {
        Value::Object(_) => fields(value, &format!("{before}{name}.")),
        value => format!("{:<48}{value}\n", format!("{before}{name}")),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::shown;
    use serde_json::json;

    #[test]
    fn medians_beside_the_kernels() {
        let result = json!({
            "kernel": {"name": "the kernel alone", "start": {"median": 2.0}},
            "programs": [{"name": "virtlxc", "start": {"median": 5.0}, "controller_kib": {"anonymous": 300, "rss": 2000}}],
        });
        let table = shown(&result);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["the", "kernel", "alone", "2.00", "-", "-", "-"]);
        assert_eq!(lines[2], ["virtlxc", "5.00", "(2.5x)", "-", "-", "-", "300/2000"]);
        assert_eq!(shown(&json!({"a": {"b": 1}})).trim_end(), format!("{:<48}1", "a.b"));
    }
}
