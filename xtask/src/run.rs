//! Running other programs and finding our own folders.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the program to its end; anything but success is an error that shows the command line.
pub fn run(command: &mut Command) -> Result<()> {
    match status(command)? {
        0 => Ok(()),
        code => Err(format!("{} ended with status {code}", shown(command))),
    }
}

/// Runs the program to its end and gives its exit status, 128 and the signal's number where one killed it.
pub fn status(command: &mut Command) -> Result<u8> {
    use std::os::unix::process::ExitStatusExt;
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(255))
}

/// Runs the program and gives what it wrote to standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} ended with {}: {}", shown(command), output.status, complaint.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command line as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The top of the source tree.
pub fn top() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Path::to_path_buf).ok_or_else(|| "the source tree has no top".to_string())
}

/// Cargo's target folder.
pub fn target() -> Result<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(dir).map_err(|error| format!("the target folder: {error}")),
        None => Ok(top()?.join("target")),
    }
}

/// Where `build` leaves the three programs.
pub fn programs() -> Result<PathBuf> {
    Ok(target()?.join("release"))
}

/// A call of the cargo that started us, in the source tree.
pub fn cargo() -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(top()?);
    Ok(command)
}

/// A call of this very program.
pub fn ourselves() -> Result<Command> {
    Ok(Command::new(program()?))
}

/// Where this very program is. cargo may have put a newer one in its place while this one ran, as it does when the tests of
/// the workspace are built: that one does as well.
pub fn program() -> Result<PathBuf> {
    let program = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let text = program.to_str().ok_or("the path of the source tree is not UTF-8")?;
    Ok(PathBuf::from(text.strip_suffix(" (deleted)").unwrap_or(text)))
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot run {}: {error}", command.get_program().to_string_lossy())
}
