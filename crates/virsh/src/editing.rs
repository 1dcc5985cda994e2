//! A document in the person's editor, again and again until it is accepted or given up.

use crate::failure::{Done, Failure, words};
use crate::shell::Shell;
use crate::terminal;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that is gone when this is.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn with(text: &str) -> Result<Temporary, Failure> {
        let folder = env::temp_dir();
        for attempt in 0..100 {
            let path = folder.join(format!("virsh{}-{attempt}.xml", std::process::id()));
            let opened = File::options().write(true).create_new(true).mode(0o600).open(&path);
            let mut file = match opened {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(cannot(&path, &error)),
            };
            let temporary = Temporary { path };
            file.write_all(text.as_bytes()).map_err(|error| cannot(&temporary.path, &error))?;
            return Ok(temporary);
        }
        Err(Failure::new(format!("no free name for a temporary file in {}", folder.display())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // An editor may have moved it away.
        _ = fs::remove_file(&self.path);
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("write: {}: failed to write temporary file: {}", path.display(), words(error)))
}

/// Runs `$VISUAL`, `$EDITOR` or vi on the file.
fn run_editor(path: &Path) -> Done {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let editor = variable("VISUAL").or_else(|| variable("EDITOR")).unwrap_or_else(|| "vi".to_string());
    let plain = |c: char| c.is_ascii_alphanumeric() || " -/_.:@".contains(c);
    let mut command = if editor.chars().all(plain) {
        let mut words = editor.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or("vi"));
        command.args(words).arg(path);
        command
    } else {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{editor} {}", path.display()));
        command
    };
    let shown: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| shell_word(&word.to_string_lossy()))
        .collect();
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("cannot run the editor '{editor}': {}", words(&error))))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::new(format!(
            "internal error: Child process ({}) unexpected exit status {code}",
            shown.join(" ")
        ))),
        None => Err(Failure::new(format!("internal error: Child process ({}) unexpected {status}", shown.join(" ")))),
    }
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-/_.:=@,+%".contains(c);
    if word.chars().all(plain) { word.to_string() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// One document to edit.
pub struct Edit<'s> {
    /// How messages call it.
    pub title: String,
    /// Fetches it; again before it is put back, to see whether somebody else has changed it.
    pub fetch: &'s dyn Fn(&Shell) -> Result<String, Failure>,
    /// Puts it back, validated where the driver can, and says how messages call it now.
    pub put: &'s dyn Fn(&Shell, &str, bool) -> Result<String, Failure>,
    /// Whether validation can be left out.
    pub can_skip_validation: bool,
}

pub fn edit(shell: &Shell, edit: &Edit<'_>) -> Done {
    let before = (edit.fetch)(shell)?;
    let file = Temporary::with(&before)?;
    let mut validate = edit.can_skip_validation;
    'edit: loop {
        run_editor(&file.path)?;
        let edited = fs::read_to_string(&file.path)
            .map_err(|error| Failure::file("open", &file.path.to_string_lossy(), &error))?;
        if edited == before {
            return shell.done(format!("{} XML configuration not changed.", edit.title));
        }
        loop {
            if (edit.fetch)(shell)? != before {
                shell.warn("The XML configuration was changed by another user.");
            } else {
                match (edit.put)(shell, &edited, validate) {
                    Ok(title) => return shell.done(format!("{title} XML configuration edited.")),
                    Err(failure) => {
                        for line in failure.lines() {
                            shell.warn(line);
                        }
                    }
                }
            }
            match ask(validate)? {
                Answer::Edit => continue 'edit,
                Answer::GiveUp => return Err(Failure::silent()),
                Answer::WithoutValidation => validate = false,
                Answer::Again => {}
            }
        }
    }
}

enum Answer {
    Edit,
    GiveUp,
    WithoutValidation,
    Again,
}

fn ask(validated: bool) -> Result<Answer, Failure> {
    if !terminal::is_terminal() {
        return Err(Failure::new("Failed. The changes are thrown away: there is no terminal to ask what to do."));
    }
    let letters = if validated { "y,n,i,f,?" } else { "y,n,f,?" };
    loop {
        match terminal::ask(&format!("Failed. Try again? [{letters}]: ")).as_deref() {
            Some("y" | "Y") => return Ok(Answer::Edit),
            Some("n" | "N") | None => return Ok(Answer::GiveUp),
            Some("i") if validated => return Ok(Answer::WithoutValidation),
            Some("f") => return Ok(Answer::Again),
            Some("?") => {
                println!("y - open the editor once more");
                println!("n - give up, and forget the changes");
                if validated {
                    println!("i - try again without holding it against the schema");
                }
                println!("f - try again as it is");
                println!("? - this explanation");
            }
            Some(_) => {}
        }
    }
}

/// A text of some lines in the editor, outside a document: a description.
pub fn edit_text(text: &str) -> Result<String, Failure> {
    let file = Temporary::with(text)?;
    run_editor(&file.path)?;
    fs::read_to_string(&file.path).map_err(|error| Failure::file("open", &file.path.to_string_lossy(), &error))
}
