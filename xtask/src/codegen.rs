//! `cargo xtask codegen`: writes the protocol's types and procedures as Rust from `crates/rpc/protocol/remote-protocol.json`.
//! With `--check` it only says whether the committed files are what it would write.

use crate::Result;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

const TABLE: &str = "crates/rpc/protocol/remote-protocol.json";
const TARGET: &str = "crates/rpc/src/protocol";

/// (key of the table, module): the module `virnet` has types only.
const MODULES: &[(&str, &str)] = &[
    ("virnet", "virnet"),
    ("keepalive", "keepalive"),
    ("remote", "remote"),
    ("lxc", "lxc"),
    ("qemu", "qemu"),
    ("admin", "admin"),
    ("lxc_monitor", "monitor"),
];

pub fn command(arguments: &[String]) -> Result<u8> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("takes nothing but --check".into()),
    };
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no folder")?;
    let mut stale = Vec::new();
    for (name, text) in files(top)? {
        let path = top.join(TARGET).join(name);
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        if check {
            stale.push(path.display().to_string());
        } else {
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    if stale.is_empty() { Ok(0) } else { Err(format!("not fresh, run `cargo xtask codegen`: {}", stale.join(", "))) }
}

/// Every generated file: its name and its text.
fn files(top: &Path) -> Result<Vec<(String, String)>> {
    let path = top.join(TABLE);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let table: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let protocol = Protocol { table: &table };
    MODULES.iter().map(|(key, module)| Ok((format!("{module}.rs"), protocol.module(key)?))).collect()
}

struct Protocol<'a> {
    table: &'a Value,
}

impl Protocol<'_> {
    fn module(&self, key: &str) -> Result<String> {
        let types = self.table["types"].as_object().ok_or("no types")?;
        let mut enums = String::new();
        let mut unions = String::new();
        let mut structs = String::new();
        // serde_json sorts the keys; the order of the file's own numbering does not matter to Rust.
        for (name, definition) in types.iter().filter(|(_, d)| text(&d["file"]) == key) {
            match text(&definition["kind"]) {
                "enum" if is_procedures(name) => {}
                "enum" => enums += &self.enumeration(name, definition)?,
                "union" => unions += &self.union(key, name, definition)?,
                "struct" => structs += &self.structure(key, name, definition)?,
                _ => {}
            }
        }
        let procedures = self.procedures(key)?;
        let mut out =
            String::from("// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.\n\n");
        let bodies = [("messages", &structs), ("numbers", &enums), ("procedures", &procedures), ("unions", &unions)];
        let used: Vec<&str> = bodies.iter().filter(|(_, body)| !body.is_empty()).map(|(name, _)| *name).collect();
        let list = if let [one] = used[..] { one.to_string() } else { format!("{{{}}}", used.join(", ")) };
        _ = writeln!(out, "use super::table::{list};");
        let codecs = ["Array", "Char", "Fixed", "List", "Opaque", "Str", "UChar", "UShort"];
        let everything = [enums.as_str(), &unions, &structs, &procedures].concat();
        let used: Vec<&str> = codecs.into_iter().filter(|codec| mentions(&everything, codec)).collect();
        match used[..] {
            [] => {}
            [one] => _ = writeln!(out, "use crate::xdr::{one};"),
            _ => _ = writeln!(out, "use crate::xdr::{{{}}};", used.join(", ")),
        }
        for (name, body) in [("numbers", &enums), ("unions", &unions), ("messages", &structs)] {
            if !body.is_empty() {
                _ = write!(out, "\n{name}! {{\n{body}}}\n");
            }
        }
        if !procedures.is_empty() {
            _ = write!(out, "\nprocedures! {{\n{procedures}}}\n");
        }
        Ok(out)
    }

    fn structure(&self, key: &str, name: &str, definition: &Value) -> Result<String> {
        let mut out = format!("    {} {{\n", type_name(name));
        for field in array(&definition["fields"])? {
            _ = writeln!(out, "        {}: {},", field_name(text(&field["name"])), self.codec(key, field)?);
        }
        Ok(out + "    }\n")
    }

    fn union(&self, key: &str, name: &str, definition: &Value) -> Result<String> {
        let mut out = format!("    {} {{\n", type_name(name));
        for arm in array(&definition["arms"])? {
            let case = camel(text(&arm["case"]).trim_start_matches("VIR_TYPED_PARAM_"));
            _ = writeln!(out, "        {case} = {}: {},", number(&arm["value"])?, self.codec(key, arm)?);
        }
        Ok(out + "    }\n")
    }

    fn enumeration(&self, name: &str, definition: &Value) -> Result<String> {
        let values = array(&definition["values"])?;
        let names: Vec<&str> = values.iter().map(|value| text(&value["name"])).collect();
        let common = common_prefix(&names);
        let mut out = format!("    {} {{\n", type_name(name));
        for value in values {
            let variant = camel(text(&value["name"]).get(common..).unwrap_or_default());
            _ = writeln!(out, "        {variant} = {},", number(&value["value"])?);
        }
        Ok(out + "    }\n")
    }

    fn procedures(&self, key: &str) -> Result<String> {
        let Some(list) = self.table["procedures"].get(key) else { return Ok(String::new()) };
        let program = array(&self.table["programs"])?
            .iter()
            .find(|program| text(&program["key"]) == key)
            .ok_or_else(|| format!("no program {key}"))?;
        let mut out =
            format!("    {:#010x} version {} {{\n", number(&program["number"])?, number(&program["version"])?);
        for procedure in array(list)? {
            out += &self.procedure(procedure)?;
        }
        Ok(out + "    }\n")
    }

    fn procedure(&self, procedure: &Value) -> Result<String> {
        let name = text(&procedure["name"]);
        let kind = if text(&procedure["kind"]) == "call" { "Call" } else { "Event" };
        let priority = if text(&procedure["priority"]) == "high" { "High" } else { "Low" };
        let read_only = match text(&procedure["refused_readonly"]) {
            "" => "Allowed".to_string(),
            "always" => "Refused".to_string(),
            condition => format!("RefusedWith({condition:?})"),
        };
        let acl: Vec<String> = match &procedure["acl"] {
            Value::Array(rules) => rules.iter().map(access_rule).collect(),
            _ => Vec::new(),
        };
        let payload = |field: &str| match text(&procedure[field]) {
            "" => "()".to_string(),
            name => type_name(name),
        };
        let args =
            if kind == "Event" && text(&procedure["args"]).is_empty() { payload("msg") } else { payload("args") };
        Ok(format!(
            "        {} = {} {name:?} {kind} {priority} ({read_only}) [{}] {:?} {} ({args}) -> ({});\n",
            camel(name),
            number(&procedure["number"])?,
            acl.join(", "),
            text(&procedure["api"]),
            procedure["api_error_domain"].as_i64().unwrap_or(0),
            payload("ret"),
        ))
    }

    /// How a field travels, as a codec of `rpc::xdr`.
    fn codec(&self, module: &str, field: &Value) -> Result<String> {
        let name = text(&field["type"]);
        let kind = text(&field["kind"]);
        match (name, kind) {
            ("string", _) => return Ok("Str".into()),
            ("opaque", "fixed") => return Ok(format!("Fixed<{}>", number(&field["len"])?)),
            ("opaque", _) => return Ok(format!("Opaque<{}>", number(&field["max"])?)),
            _ => {}
        }
        let item = match name {
            "int32" => "i32".to_string(),
            "uint32" => "u32".to_string(),
            "int64" => "i64".to_string(),
            "uint64" => "u64".to_string(),
            "double" => "f64".to_string(),
            "char32" => "Char".to_string(),
            "uchar32" => "UChar".to_string(),
            "ushort32" => "UShort".to_string(),
            _ => {
                let definition = &self.table["types"][name];
                match text(&definition["kind"]) {
                    "" => return Err(format!("type {name} is not in the table")),
                    "typedef" => self.codec(module, &definition["of"])?,
                    // The small programs borrow types of the big one.
                    _ if text(&definition["file"]) == "remote" && module != "remote" => {
                        format!("super::remote::{}", type_name(name))
                    }
                    _ => type_name(name),
                }
            }
        };
        Ok(match kind {
            "scalar" => item,
            "optional" => format!("Option<{item}>"),
            "fixed_array" => format!("Array<{item}, {}>", number(&field["len"])?),
            "variable_array" => format!("List<{item}, {}>", number(&field["max"])?),
            other => return Err(format!("field kind {other} of {name}")),
        })
    }
}

fn access_rule(rule: &Value) -> String {
    let mut out = format!("{}:{}", text(&rule["object"]), text(&rule["permission"]));
    match text(&rule["only_if_flag"]) {
        "" => {}
        flag => out += &format!("?{flag}"),
    }
    let parameter = &rule["only_if_param"];
    if parameter.is_object() {
        out += &format!("?{}={}", text(&parameter["param"]), text(&parameter["value"]));
    }
    format!("{out:?}")
}

fn is_procedures(name: &str) -> bool {
    name.ends_with("_procedure") || name.ends_with("Procedure")
}

/// `remote_domain_get_info_ret` -> `DomainGetInfoRet`, `virNetMessageError` -> `MessageError`.
fn type_name(name: &str) -> String {
    for prefix in ["virLXCMonitor", "virNet"] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return rest.to_string();
        }
    }
    let prefixes = ["remote_", "lxc_", "qemu_", "admin_", "keepalive_"];
    camel(prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name))
}

fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| {
                first.to_ascii_uppercase().to_string() + &letters.as_str().to_ascii_lowercase()
            })
        })
        .collect()
}

/// `callbackID` -> `callback_id`, `nrVirtCpu` -> `nr_virt_cpu`, `type` -> `r#type`.
fn field_name(name: &str) -> String {
    let mut out = String::new();
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_small {
            out.push('_');
        }
        after_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        out.push(letter.to_ascii_lowercase());
    }
    if matches!(out.as_str(), "type" | "ref" | "match" | "in" | "move" | "use") { format!("r#{out}") } else { out }
}

/// How many bytes the names share, up to and with an underscore.
fn common_prefix(names: &[&str]) -> usize {
    let Some(first) = names.first() else { return 0 };
    let shared =
        (0..first.len()).take_while(|&at| names.iter().all(|n| n.as_bytes().get(at) == first.as_bytes().get(at)));
    first.get(..shared.count()).and_then(|shared| shared.rfind('_')).map_or(0, |at| at + 1)
}

fn mentions(body: &str, word: &str) -> bool {
    body.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == word)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> Result<i64> {
    value.as_i64().ok_or_else(|| format!("expected a number, found {value}"))
}

fn array(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().ok_or_else(|| format!("expected a list, found {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_protocol_is_fresh() {
        assert_eq!(command(&["--check".to_string()]), Ok(0));
    }

    #[test]
    fn names_follow_rust() {
        assert_eq!(type_name("remote_domain_get_info_ret"), "DomainGetInfoRet");
        assert_eq!(type_name("virNetMessageError"), "MessageError");
        assert_eq!(type_name("virLXCMonitorExitStatus"), "ExitStatus");
        assert_eq!(
            ["callbackID", "nrVirtCpu", "type", "maxMem"].map(field_name),
            ["callback_id", "nr_virt_cpu", "r#type", "max_mem"]
        );
        assert_eq!(common_prefix(&["REMOTE_AUTH_NONE", "REMOTE_AUTH_SASL"]), "REMOTE_AUTH_".len());
    }
}
