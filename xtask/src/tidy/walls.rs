//! The walls between the crates, as ARCHITECTURE.md draws them, checked against what cargo says they depend on.

use crate::{Result, run};
use serde_json::Value;

/// A crate, the crates of this workspace it may use, and the libraries from outside that it must not.
struct Wall {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    Wall { name: "api", may_use: &[], never: &["rustix", "libc", "tracing"] },
    Wall { name: "conf", may_use: &["api"], never: &["rustix", "libc", "tracing"] },
    Wall { name: "rpc", may_use: &["api"], never: &["libc"] },
    Wall { name: "linux", may_use: &[], never: &["tracing"] },
    Wall { name: "lxc", may_use: &["api", "conf", "linux", "network", "rpc"], never: &["libc"] },
    Wall { name: "network", may_use: &["api", "conf", "linux"], never: &["libc"] },
    Wall { name: "nodedev", may_use: &["api", "conf", "linux"], never: &["libc"] },
    Wall { name: "controller", may_use: &["api", "conf", "linux", "rpc"], never: &["libc", "rustls"] },
    Wall { name: "virtlxcd", may_use: &["api", "conf", "linux", "lxc", "network", "nodedev", "rpc"], never: &["libc"] },
    Wall { name: "virsh", may_use: &["api", "conf", "rpc"], never: &["libc"] },
];

/// Every dependency that crosses a wall. What only the tests of a crate use is let through.
pub fn check() -> Result<Vec<String>> {
    let metadata = run::output(run::cargo()?.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]))?;
    let metadata = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(breaches(&metadata))
}

fn breaches(metadata: &Value) -> Vec<String> {
    let packages = list(metadata, "packages");
    let ours: Vec<&str> = packages.iter().filter_map(|package| text(package, "name")).collect();
    let mut breaches = Vec::new();
    for wall in WALLS {
        let Some(package) = packages.iter().find(|package| text(package, "name") == Some(wall.name)) else {
            breaches.push(format!("crate {} is missing from the workspace", wall.name));
            continue;
        };
        for dependency in
            list(package, "dependencies").iter().filter(|dependency| text(dependency, "kind") != Some("dev"))
        {
            let Some(name) = text(dependency, "name") else { continue };
            if ours.contains(&name) && !wall.may_use.contains(&name) || wall.never.contains(&name) {
                breaches.push(format!("crate {} may not use {name}", wall.name));
            }
        }
    }
    breaches
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::{WALLS, breaches};
    use serde_json::{Value, json};

    fn workspace(of_conf: &[Value]) -> Value {
        let package = |name: &str| match name {
            "conf" => json!({"name": name, "dependencies": of_conf}),
            _ => json!({"name": name, "dependencies": []}),
        };
        json!({"packages": WALLS.iter().map(|wall| package(wall.name)).collect::<Vec<_>>()})
    }

    #[test]
    fn a_dependency_across_a_wall_is_named() {
        assert_eq!(breaches(&workspace(&[json!({"name": "api", "kind": null})])), Vec::<String>::new());
        assert_eq!(breaches(&workspace(&[json!({"name": "linux", "kind": "dev"})])), Vec::<String>::new());
        assert_eq!(breaches(&workspace(&[json!({"name": "linux", "kind": null})])), ["crate conf may not use linux"]);
        assert_eq!(breaches(&workspace(&[json!({"name": "libc", "kind": null})])), ["crate conf may not use libc"]);
    }
}
