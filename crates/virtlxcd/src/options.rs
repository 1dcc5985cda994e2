//! The command line, in libvirt's spelling.

use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub config: Option<PathBuf>,
    pub daemon: bool,
    pub verbose: bool,
    /// Seconds without clients and running domains after which the daemon ends.
    pub timeout: Option<u64>,
    pub pid_file: Option<PathBuf>,
    /// The folder below which everything lives; the system's own folders where absent.
    pub root: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    Run(Options),
    /// Text for standard output, and nothing else to do.
    Say(String),
}

pub const USAGE: &str = "\
usage: virtlxcd [options]

  -f, --config FILE     settings (default: virtlxcd.conf in the configuration folder)
  -d, --daemon          go to the background when ready
  -v, --verbose         log what happens, not only what goes wrong
  -t, --timeout SECONDS end after so long without clients and running domains
  -p, --pid-file FILE   where to write the process id
      --root DIR        keep state, logs and configuration below DIR
  -V, --version         print the version
  -h, --help            print this text
";

/// The error is a sentence for the person at the terminal.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Parsed, String> {
    let mut options = Options::default();
    let text = |argument: OsString| argument.into_string().map_err(|it| format!("argument {it:?} is not UTF-8"));
    let arguments = arguments.map(text).collect::<Result<Vec<String>, String>>()?;
    let mut arguments = arguments.into_iter().flat_map(|argument| match argument.split_once('=') {
        Some((name, value)) if name.starts_with("--") => vec![name.to_string(), value.to_string()],
        _ => vec![argument],
    });
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("option '{argument}' requires an argument"));
        match argument.as_str() {
            // The daemon's folder is another than the caller's.
            "-f" | "--config" => options.config = Some(absolute(&argument, value()?)?),
            "-p" | "--pid-file" => options.pid_file = Some(absolute(&argument, value()?)?),
            "--root" => options.root = Some(absolute(&argument, value()?)?),
            "-t" | "--timeout" => {
                let text = value()?;
                let seconds = text.parse().ok().filter(|seconds| *seconds > 0);
                options.timeout = Some(seconds.ok_or_else(|| format!("timeout '{text}' is not a number of seconds"))?);
            }
            "-d" | "--daemon" => options.daemon = true,
            "-v" | "--verbose" => options.verbose = true,
            "-V" | "--version" => {
                return Ok(Parsed::Say(format!("virtlxcd (virtlxc) {}\n", env!("CARGO_PKG_VERSION"))));
            }
            "-h" | "--help" => return Ok(Parsed::Say(USAGE.to_string())),
            other => return Err(format!("unknown option '{other}'; --help lists them")),
        }
    }
    Ok(Parsed::Run(options))
}

fn absolute(option: &str, path: String) -> Result<PathBuf, String> {
    std::path::absolute(&path).map_err(|e| format!("option '{option}': '{path}': {}", api::errno_text(&e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Parsed, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn long_and_short_forms() {
        let expected = Options {
            config: Some("/c".into()),
            daemon: true,
            verbose: true,
            timeout: Some(120),
            pid_file: Some("/p".into()),
            root: Some("/r".into()),
        };
        assert_eq!(of("-f /c -d -v -t 120 -p /p --root /r"), Ok(Parsed::Run(expected)));
        let long = of("--config=/c --daemon --verbose --timeout=120 --pid-file=/p --root=/r");
        assert_eq!(long, of("-f /c -d -v -t 120 -p /p --root /r"));
        let Ok(Parsed::Run(relative)) = of("-f here/c") else { panic!("it is a good line") };
        assert!(relative.config.unwrap().is_absolute());
        for wrong in ["--timeout x", "-t 0", "--config", "--frobnicate"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
