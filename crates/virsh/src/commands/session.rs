//! Commands about the session itself: help, echo, the working folder, the connection, leaving.

use crate::arguments::Arguments;
use crate::complete;
use crate::failure::{Done, Failure, words as error_words};
use crate::help;
use crate::shell::Shell;
use crate::table::{self, *};
use std::env;

pub const COMMANDS: &[Command] = &[
    Command::new("cd", "go to another folder", &[text("dir", "where to; home without").of(Values::Files)], cd)
        .offline(),
    Command::new(
        "complete",
        "what the last of some words may become; for the completion of shells",
        &[words("string", "the words typed so far")],
        complete,
    )
    .offline(),
    Command::new(
        "connect",
        "use another connection",
        &[text("name", "its URI; the same again without"), flag("readonly", "ask for nothing that changes anything")],
        connect,
    )
    .offline(),
    Command::new(
        "echo",
        "print words, to see how they are taken",
        &[
            flag("shell", "quoted for a shell"),
            flag("xml", "escaped for XML"),
            flag("split", "each separately"),
            flag("err", "on standard error"),
            words("string", "the words"),
        ],
        echo,
    )
    .offline(),
    Command::new("exit", "leave this shell", &[], leave).offline(),
    Command::new(
        "help",
        "explain the commands",
        &[text("command", "a command or a group").of(Values::Commands)],
        show_help,
    )
    .offline(),
    Command::new("pwd", "the folder this shell is in", &[], pwd).offline(),
    Command::new("quit", "leave this shell", &[], leave).offline(),
];

fn cd(shell: &mut Shell, arguments: &Arguments) -> Done {
    if !shell.interactive {
        return Err(Failure::new("cd: command valid only in interactive mode"));
    }
    let folder = match arguments.text("dir")? {
        Some(folder) => folder.to_string(),
        None => env::var("HOME").unwrap_or_else(|_| "/".to_string()),
    };
    env::set_current_dir(&folder).map_err(|error| Failure::new(format!("cd: {}: {folder}", error_words(&error))))
}

fn pwd(shell: &mut Shell, _: &Arguments) -> Done {
    let folder = env::current_dir()
        .map_err(|error| Failure::new(format!("pwd: cannot get current directory: {}", error_words(&error))))?;
    shell.print(&format!("{}\n", folder.display()));
    Ok(())
}

fn echo(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("shell", "xml")?;
    let shown = arguments.words("string").into_iter().map(|word| {
        let word = if arguments.has("xml") { crate::document::quoted(word) } else { word.to_string() };
        if arguments.has("shell") { for_shell(&word) } else { word }
    });
    let shown: Vec<String> = shown.collect();
    let text = shown.join(if arguments.has("split") { "\n" } else { " " });
    match arguments.has("err") {
        true => shell.warn(&text),
        false => shell.print(&text),
    }
    Ok(())
}

fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@,+%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

fn leave(shell: &mut Shell, _: &Arguments) -> Done {
    shell.leaving = true;
    Ok(())
}

fn show_help(shell: &mut Shell, arguments: &Arguments) -> Done {
    let Some(name) = arguments.text("command")? else {
        shell.print(&help::overview());
        return Ok(());
    };
    if let Some(command) = table::find(name) {
        shell.print(&help::command(command));
    } else if let Some(family) = help::find_group(name) {
        shell.print(&help::group(family));
    } else {
        return Err(Failure::new(format!("command or command group '{name}' doesn't exist")));
    }
    Ok(())
}

fn connect(shell: &mut Shell, arguments: &Arguments) -> Done {
    shell.disconnect();
    shell.settings.read_only = arguments.has("readonly");
    if let Some(uri) = arguments.text("name")? {
        shell.settings.uri = Some(uri.to_string());
    }
    shell.connect()
}

fn complete(shell: &mut Shell, arguments: &Arguments) -> Done {
    let mut given: Vec<String> = arguments.words("string").into_iter().map(str::to_string).collect();
    // The words of an earlier command of the same line do not count.
    if let Some(at) = given.iter().rposition(|word| word == ";") {
        given.drain(..=at);
    }
    if given.is_empty() {
        given.push(String::new());
    }
    for candidate in complete::candidates(shell, &given) {
        shell.print(&format!("{candidate}\n"));
    }
    Ok(())
}
