//! The program's own options, which stand before the command.

use crate::failure::Failure;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub uri: Option<String>,
    pub read_only: bool,
    pub quiet: bool,
    pub timing: bool,
    pub json: bool,
    /// The byte that leaves a console.
    pub escape: u8,
    /// Seconds; 0 means never to ask.
    pub keepalive_interval: Option<u32>,
    pub keepalive_count: Option<u32>,
    pub log: Option<String>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// A line to be cut into commands.
    Line(String),
    /// One command, cut already.
    Words(Vec<String>),
    Interactive,
    Help,
    Version {
        long: bool,
    },
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            uri: None,
            read_only: false,
            quiet: false,
            timing: false,
            json: false,
            escape: 0x1d,
            keepalive_interval: None,
            keepalive_count: None,
            log: None,
        }
    }
}

/// Reads the options; what warrants no refusal is returned as a warning.
pub fn parse(arguments: &[String]) -> Result<(Settings, Request, Vec<String>), Failure> {
    let mut settings = Settings::default();
    let mut warnings = Vec::new();
    let mut rest = arguments.iter();
    let mut commands: Vec<String> = Vec::new();
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        }
        if !word.starts_with('-') || word == "-" {
            commands.push(word.clone());
            break;
        }
        // `-qr`, `-cURI`, `--connect=URI`, `--connect URI`.
        let (options, mut value) = match word.strip_prefix("--") {
            Some(long) => {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_string())),
                    None => (long, None),
                };
                let short = long_option(name).ok_or_else(|| unsupported(word))?;
                (vec![short], value)
            }
            None => {
                let letters = word.get(1..).unwrap_or_default();
                match letters.find(|c| "cdeklKo".contains(c)) {
                    Some(at) if at + 1 < letters.len() && letters.is_char_boundary(at + 1) => {
                        let (options, value) = letters.split_at(at + 1);
                        (options.chars().collect(), Some(value.to_string()))
                    }
                    _ => (letters.chars().collect(), None),
                }
            }
        };
        for option in options {
            let mut argument = || {
                value.take().or_else(|| rest.next().cloned()).ok_or_else(|| {
                    let long = LONG.iter().find(|(_, short)| *short == option).map_or("", |(long, _)| long);
                    Failure::new(format!("option '-{option}'/'--{long}' requires an argument"))
                })
            };
            match option {
                'c' => settings.uri = Some(argument()?),
                'd' => {
                    let value = argument()?;
                    let level: i64 = value.parse().map_err(|_| Failure::new("option -d takes a numeric argument"))?;
                    if !(0..=4).contains(&level) {
                        warnings.push(format!("ignoring debug level {level} out of range [0-4]"));
                    }
                }
                'e' => settings.escape = escape(&argument()?)?,
                'k' | 'K' => {
                    let count = argument()?
                        .parse()
                        .ok()
                        .filter(|count| *count <= i32::MAX as u32)
                        .ok_or_else(|| Failure::new(format!("Invalid value for option -{option}")))?;
                    match option {
                        'k' => settings.keepalive_interval = Some(count),
                        _ => settings.keepalive_count = Some(count),
                    }
                }
                'l' => settings.log = Some(argument()?),
                'o' => settings.json = wants_json(&argument()?)?,
                'q' => settings.quiet = true,
                'r' => settings.read_only = true,
                't' => settings.timing = true,
                'h' => return Ok((settings, Request::Help, warnings)),
                'V' => return Ok((settings, Request::Version { long: true }, warnings)),
                'v' => {
                    let long = value.as_deref() == Some("long");
                    return Ok((settings, Request::Version { long }, warnings));
                }
                _ => return Err(unsupported(word)),
            }
        }
    }
    commands.extend(rest.cloned());
    let request = match commands.len() {
        0 => Request::Interactive,
        1 => Request::Line(commands.remove(0)),
        _ => Request::Words(commands),
    };
    Ok((settings, request, warnings))
}

const LONG: &[(&str, char)] = &[
    ("connect", 'c'),
    ("debug", 'd'),
    ("escape", 'e'),
    ("help", 'h'),
    ("keepalive-interval", 'k'),
    ("keepalive-count", 'K'),
    ("log", 'l'),
    ("output", 'o'),
    ("quiet", 'q'),
    ("readonly", 'r'),
    ("timing", 't'),
    ("version", 'v'),
];

/// By its name or the beginning of one, as getopt_long(3) takes it.
fn long_option(name: &str) -> Option<char> {
    let exact = LONG.iter().find(|(long, _)| *long == name);
    let mut begin = LONG.iter().filter(|(long, _)| !name.is_empty() && long.starts_with(name));
    match (exact, begin.next(), begin.next()) {
        (Some((_, short)), _, _) | (None, Some((_, short)), None) => Some(*short),
        _ => None,
    }
}

fn unsupported(word: &str) -> Failure {
    Failure::new(format!("unsupported option '{word}'. See --help."))
}

pub fn wants_json(form: &str) -> Result<bool, Failure> {
    match form {
        "json" => Ok(true),
        "text" => Ok(false),
        other => Err(Failure::new(format!("unknown form of output '{other}': it is text or json"))),
    }
}

/// `^X` or a single character.
fn escape(text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        [b'^', key] => Ok(key.to_ascii_uppercase() ^ 0x40),
        [key] => Ok(*key),
        _ => Err(Failure::new(format!("Invalid string '{text}' for escape sequence"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(Settings, Request, Vec<String>), String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        parse(&words).map_err(|failure| failure.lines().join("\n"))
    }

    #[test]
    fn options_before_the_command() {
        let (settings, request, _) = read("-qr -clxc:/// list --all").unwrap();
        assert!(settings.quiet && settings.read_only);
        assert_eq!(settings.uri.as_deref(), Some("lxc:///"));
        assert_eq!(request, Request::Words(vec!["list".into(), "--all".into()]));
        assert_eq!(read("--connect x -- list").unwrap().1, Request::Line("list".into()));
        assert_eq!(read("-q").unwrap().1, Request::Interactive);
        assert_eq!(read("--version=long").unwrap().1, Request::Version { long: true });
        assert_eq!(read("-e ^x list").unwrap().0.escape, 0x18);
        assert_eq!(read("-d 9 list").unwrap().2, ["ignoring debug level 9 out of range [0-4]"]);
    }

    #[test]
    fn refusals_as_recorded() {
        let table = [
            ("--bogus list", "unsupported option '--bogus'. See --help."),
            ("-c", "option '-c'/'--connect' requires an argument"),
            ("-d x list", "option -d takes a numeric argument"),
            ("-k x list", "Invalid value for option -k"),
            ("-e foo list", "Invalid string 'foo' for escape sequence"),
        ];
        for (line, expected) in table {
            assert_eq!(read(line).unwrap_err(), expected, "{line}");
        }
    }
}
