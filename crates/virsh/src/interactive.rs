//! The shell: a prompt, history and completion on a terminal; the same dialogue, unadorned, on a pipe.

use crate::complete;
use crate::failure::Failure;
use crate::shell::Shell;
use crate::{terminal, words};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, stdin};
use std::path::PathBuf;
use std::rc::Rc;

const WELCOME: &str = "Welcome to virsh, the virtualization interactive terminal.\n\n\
                       Type:  'help' for help with commands\n       'quit' to quit\n\n";

pub fn run(mut shell: Shell) -> Result<bool, Failure> {
    shell.interactive = true;
    shell.say(WELCOME);
    match terminal::is_fully_terminal() {
        true => on_terminal(shell),
        false => on_pipe(shell),
    }
}

fn prompt(shell: &Shell) -> &'static str {
    if shell.settings.read_only { "virsh > " } else { "virsh # " }
}

fn carry_out(shell: &mut Shell, line: &str) {
    match words::split(line) {
        Ok(line) => _ = shell.run_line(&line),
        Err(malformed) => shell.warn(malformed.text()),
    }
}

/// Shows the prompt and what was read, so that the dialogue reads as on a terminal.
fn on_pipe(mut shell: Shell) -> Result<bool, Failure> {
    for line in stdin().lock().lines() {
        let Ok(line) = line else { break };
        shell.print(&format!("{}{line}\n", prompt(&shell)));
        carry_out(&mut shell, &line);
        if shell.leaving {
            shell.print("\n");
            return Ok(true);
        }
    }
    shell.print(&format!("{}\n", prompt(&shell)));
    Ok(true)
}

fn on_terminal(shell: Shell) -> Result<bool, Failure> {
    let failed = |error: ReadlineError| Failure::new(format!("the terminal cannot be used: {error}"));
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
    let shell = Rc::new(RefCell::new(shell));
    let mut editor: Editor<Completion, FileHistory> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Completion { shell: Rc::clone(&shell) }));
    let history = history_file();
    if let Some(path) = &history {
        // The first session has none.
        _ = editor.load_history(path);
    }
    let good = loop {
        let prompt = prompt(&shell.borrow());
        match editor.readline(prompt) {
            Ok(line) => {
                carry_out(&mut shell.borrow_mut(), &line);
                if shell.borrow().leaving {
                    break true;
                }
            }
            Err(ReadlineError::Interrupted) => {
                break false;
            }
            Err(_) => break true,
        }
    };
    shell.borrow().print("\n");
    if let Some(path) = &history {
        // A session whose history cannot be kept has still done its work.
        _ = path.parent().map(fs::create_dir_all);
        _ = editor.save_history(path);
    }
    if !good {
        shell.borrow_mut().disconnect();
        crate::signals::die_of(signal_hook::consts::SIGINT);
    }
    Ok(good)
}

fn history_file() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("libvirt/virsh/history"))
}

struct Completion {
    shell: Rc<RefCell<Shell>>,
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..at).unwrap_or_default();
        let start = before.rfind([' ', '\t', ';']).map_or(0, |blank| blank + 1);
        let Ok(mut shell) = self.shell.try_borrow_mut() else { return Ok((at, Vec::new())) };
        let mut found = complete::line(&mut shell, before);
        found.sort();
        if let [only] = found.as_mut_slice() {
            only.push(' ');
        }
        Ok((start, found))
    }
}

impl Helper for Completion {}
impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {}
impl Validator for Completion {}
