//! A command's arguments: options anywhere, `--name value` or `--name=value`, `--` before what only looks like an option,
//! values also by position in the order of the table.

use crate::failure::Failure;
use crate::table::{Command, Kind, OUTPUT, Opt};

#[derive(Debug)]
pub struct Arguments {
    /// Option and value (empty for a flag), in the order given.
    given: Vec<(&'static str, String)>,
    may_be_empty: Vec<&'static str>,
    /// The help was asked for instead.
    pub help: bool,
}

/// Which bits of `virDomainModificationImpact` the options ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impact {
    pub live: bool,
    pub config: bool,
    pub current: bool,
}

pub const AFFECT_LIVE: u32 = 1;
pub const AFFECT_CONFIG: u32 = 2;

impl Impact {
    pub fn flags(self) -> u32 {
        (u32::from(self.live) * AFFECT_LIVE) | (u32::from(self.config) * AFFECT_CONFIG)
    }

    /// None where no option said which.
    pub fn explicit(self) -> Option<u32> {
        (self.live || self.config || self.current).then(|| self.flags())
    }
}

impl Arguments {
    pub fn parse(command: &'static Command, words: &[String]) -> Result<Arguments, Failure> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        let mut data_only = false;
        let mut help = false;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if !data_only && word == "--" {
                data_only = true;
                continue;
            }
            let named = word.strip_prefix("--").filter(|_| !data_only);
            let (option, value) = match named {
                Some("help") => {
                    help = true;
                    continue;
                }
                Some(named) => {
                    let (name, value) = match named.split_once('=') {
                        Some((name, value)) => (name, Some(value.to_string())),
                        None => (named, None),
                    };
                    let option = find(command, name).ok_or_else(|| {
                        Failure::new(format!("command '{}' doesn't support option --{name}", command.name))
                    })?;
                    if option.kind != Kind::Words && given.iter().any(|(seen, _)| *seen == option.name) {
                        return Err(Failure::new(format!("option --{name} already seen")));
                    }
                    if option.kind == Kind::Flag {
                        match value {
                            Some(_) => return Err(Failure::new(format!("invalid '=' after option --{name}"))),
                            None => (option, String::new()),
                        }
                    } else {
                        let value = value.or_else(|| words.next().cloned()).ok_or_else(|| {
                            Failure::new(format!("expected syntax: --{name} <{}>", type_name(option.kind)))
                        })?;
                        (option, value)
                    }
                }
                None => {
                    let free = |option: &&Opt| {
                        option.kind != Kind::Flag
                            && !option.by_name
                            && (option.kind == Kind::Words || !given.iter().any(|(seen, _)| *seen == option.name))
                    };
                    let option = command
                        .options
                        .iter()
                        .find(free)
                        .ok_or_else(|| Failure::new(format!("unexpected data '{word}'")))?;
                    (option, word.clone())
                }
            };
            given.push((option.name, value));
        }
        let missing: Vec<String> = command
            .options
            .iter()
            .filter(|option| option.required && !given.iter().any(|(seen, _)| *seen == option.name))
            .map(|option| match option.kind {
                Kind::Text | Kind::Words if !option.by_name => {
                    format!("command '{}' requires <{}> option", command.name, option.name)
                }
                _ => format!("command '{}' requires --{} option", command.name, option.name),
            })
            .collect();
        if !missing.is_empty() && !help {
            return Err(Failure::several(missing));
        }
        let may_be_empty = command.options.iter().filter(|o| o.may_be_empty || o.kind == Kind::Words).map(|o| o.name);
        Ok(Arguments { given, may_be_empty: may_be_empty.collect(), help })
    }

    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(seen, _)| *seen == name)
    }

    /// The value of an option, refused where it is empty and must not be.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Failure> {
        let Some((_, value)) = self.given.iter().find(|(seen, _)| *seen == name) else { return Ok(None) };
        if value.is_empty() && !self.may_be_empty.contains(&name) {
            return Err(Failure::new(format!("Failed to get option '{name}': Option argument is empty")));
        }
        Ok(Some(value))
    }

    /// The value of an option that the table calls required.
    pub fn need(&self, name: &str) -> Result<&str, Failure> {
        self.text(name)?.ok_or_else(|| Failure::new(format!("option '{name}' is required")))
    }

    /// Whether it was given, whatever its value.
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.given.iter().filter(|(seen, _)| *seen == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Failure> {
        self.text(name)?.map(|value| number(value).ok_or_else(|| malformed("Numeric", value, name))).transpose()
    }

    pub fn need_number<N: std::str::FromStr>(&self, name: &str) -> Result<N, Failure> {
        let value = self.need(name)?;
        number(value).ok_or_else(|| malformed("Numeric", value, name))
    }

    /// A size in bytes; a bare number counts units of `scale`.
    pub fn size(&self, name: &str, scale: u64) -> Result<Option<u64>, Failure> {
        self.text(name)?
            .map(|value| scaled(value, scale).ok_or_else(|| malformed("Scaled numeric", value, name)))
            .transpose()
    }

    /// Refuses two options together.
    pub fn exclusive(&self, one: &str, other: &str) -> Result<(), Failure> {
        match self.has(one) && self.has(other) {
            true => Err(Failure::new(format!("Options --{one} and --{other} are mutually exclusive"))),
            false => Ok(()),
        }
    }

    /// The sum of the bits whose options are given.
    pub fn bits(&self, table: &[(&str, u32)]) -> u32 {
        table.iter().filter(|(name, _)| self.has(name)).fold(0, |bits, (_, bit)| bits | bit)
    }

    /// `--live`, `--config` and `--current`, of which the last excludes the others.
    pub fn impact(&self) -> Result<Impact, Failure> {
        self.exclusive("current", "live")?;
        self.exclusive("current", "config")?;
        Ok(Impact { live: self.has("live"), config: self.has("config"), current: self.has("current") })
    }
}

/// Options of the table; `--output` belongs to every command that reports something, which is each of them.
fn find(command: &Command, name: &str) -> Option<&'static Opt> {
    command.option(name).or_else(|| (name == OUTPUT.name && !command.offline).then_some(&OUTPUT))
}

pub fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        _ => "string",
    }
}

fn malformed(what: &str, value: &str, name: &str) -> Failure {
    Failure::new(format!("{what} value '{value}' for <{name}> option is malformed or out of range"))
}

/// A number as strtol(3) reads it in base 10, wholly.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.trim_start().parse().ok()
}

/// A number with a unit behind it, in bytes: `K` and `KiB` are 1024, `KB` is 1000, and so on to exabytes.
pub fn scaled(text: &str, scale: u64) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let value: u64 = digits.parse().ok()?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let factor = match unit.as_str() {
        "" => scale,
        "b" | "byte" | "bytes" => 1,
        unit => {
            let power = "kmgtpe".find(unit.get(..1)?)? as u32 + 1;
            let base: u64 = match unit.get(1..)? {
                "" | "ib" => 1024,
                "b" => 1000,
                _ => return None,
            };
            base.pow(power)
        }
    };
    value.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn parse(line: &str) -> Result<Arguments, Vec<String>> {
        let words = crate::words::split(line).unwrap().commands.remove(0);
        let command = table::find(&words[0]).unwrap();
        Arguments::parse(command, &words[1..]).map_err(|failure| failure.lines().to_vec())
    }

    #[test]
    fn refusals_as_recorded() {
        let table = [
            ("list bogus", "unexpected data 'bogus'"),
            ("list --al", "command 'list' doesn't support option --al"),
            ("list -a", "unexpected data '-a'"),
            ("list --all=yes", "invalid '=' after option --all"),
            ("list --all --all", "option --all already seen"),
            ("define --file", "expected syntax: --file <string>"),
            ("define a b", "unexpected data 'b'"),
            ("define --file a --file b", "option --file already seen"),
            ("define", "command 'define' requires <file> option"),
            ("setmem x", "command 'setmem' requires --size option"),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line).err().unwrap_or_default(), [expected], "{line}");
        }
    }

    #[test]
    fn values_by_name_and_by_position() {
        let arguments = parse("dumpxml --xpath=//name -- --inactive").unwrap();
        assert_eq!(arguments.text("xpath").unwrap(), Some("//name"));
        assert_eq!(arguments.need("domain").unwrap(), "--inactive");
        assert!(!arguments.has("inactive"));
        assert_eq!(
            parse("dominfo ''").unwrap().need("domain").unwrap_err().lines(),
            ["Failed to get option 'domain': Option argument is empty"]
        );
    }

    #[test]
    fn sizes() {
        let table = [
            ("100", Some(102_400)),
            ("100M", Some(104_857_600)),
            ("1KB", Some(1000)),
            ("7 b", Some(7)),
            ("2gib", Some(2 << 30)),
            ("abc", None),
            ("1x", None),
            ("99999999999999999999", None),
            ("20E", None),
        ];
        for (text, expected) in table {
            assert_eq!(scaled(text, 1024), expected, "{text}");
        }
    }
}
