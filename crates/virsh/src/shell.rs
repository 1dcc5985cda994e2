//! The session: its connection, its settings, and carrying out one command after another.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure};
use crate::report;
use crate::settings::{Settings, wants_json};
use crate::table::{self, Command};
use crate::words::Line;
use crate::{connect, help};
use rpc::ProgramProcedure;
use rpc::client::{CloseReason, Connection, Stream};
use rpc::xdr::Codec;
use serde_json::Value;
use std::fs::File;
use std::io::{self, Write};
use std::time::Instant;

pub struct Shell {
    pub settings: Settings,
    /// The URI that is open, or was last.
    pub uri: String,
    pub interactive: bool,
    /// A command has asked to leave.
    pub leaving: bool,
    /// The command under way is to report in JSON.
    pub json: bool,
    /// The command's output is somebody else's, byte for byte: nothing of ours goes with it.
    pub verbatim: bool,
    /// The status that the command under way fails with, where that is its own.
    pub exit_status: Option<u8>,
    connection: Option<Connection>,
    log: Option<File>,
}

impl Shell {
    pub fn new(settings: Settings) -> Result<Shell, Failure> {
        let log = match &settings.log {
            None => None,
            Some(path) => {
                let opened = File::options().append(true).create(true).open(path);
                Some(opened.map_err(|_| Failure::new("failed to open the log file. check the log file path"))?)
            }
        };
        Ok(Shell {
            settings,
            uri: String::new(),
            interactive: false,
            leaving: false,
            json: false,
            verbatim: false,
            exit_status: None,
            connection: None,
            log,
        })
    }

    /// Carries out the commands of a line; the last one's success counts.
    pub fn run_line(&mut self, line: &Line) -> bool {
        let mut good = true;
        for words in &line.commands {
            good = self.run(words);
            if self.leaving {
                break;
            }
        }
        good
    }

    /// What the program ends with, by whether the last command did well.
    pub fn status(&self, good: bool) -> u8 {
        match good {
            true => 0,
            false => self.exit_status.unwrap_or(1),
        }
    }

    /// Carries out one command.
    pub fn run(&mut self, words: &[String]) -> bool {
        let Some((name, words)) = words.split_first() else { return true };
        // Nothing of the command before it.
        let found = table::find(name);
        self.exit_status = found.and_then(|command| command.failure);
        (self.json, self.verbatim) = (self.settings.json, false);
        let prepared = found
            .ok_or_else(|| Failure::new(format!("unknown command: '{name}'")))
            .and_then(|command| Ok((command, Arguments::parse(command, words)?)));
        let (command, arguments) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                self.complain(&failure);
                return false;
            }
        };
        let begun = Instant::now();
        let outcome = self.carry_out(command, &arguments);
        if let Err(failure) = &outcome {
            self.notice_end();
            self.complain(failure);
        }
        if self.leaving {
            return outcome.is_ok();
        }
        if self.settings.timing {
            self.print(&format!("\n(Time: {:.3} ms)\n\n", begun.elapsed().as_secs_f64() * 1000.0));
        } else if !self.json && !self.verbatim {
            self.say("\n");
        }
        outcome.is_ok()
    }

    fn carry_out(&mut self, command: &'static Command, arguments: &Arguments) -> Done {
        if arguments.help {
            self.print(&help::command(command));
            return Ok(());
        }
        if let Some(form) = arguments.text("output")? {
            self.json = wants_json(form)?;
        }
        if !command.offline {
            self.connect()?;
        }
        (command.run)(self, arguments)
    }

    /// Opens the connection unless it is open.
    pub fn connect(&mut self) -> Done {
        if self.connection.is_none() {
            let mut unknown = Vec::new();
            self.uri = connect::chosen_uri(&self.settings, &mut |text| unknown.push(text.to_string()))?;
            unknown.iter().for_each(|text| self.caution(text));
            self.connection = Some(connect::open(&self.settings, &self.uri)?);
        }
        Ok(())
    }

    pub fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            // The daemon may be gone: then there is nobody to say goodbye to.
            _ = connection.close();
        }
    }

    pub fn connection(&self) -> api::Result<&Connection> {
        self.connection
            .as_ref()
            .ok_or_else(|| api::Error::new(api::ErrorDomain::Remote, api::Code::InvalidConn, "there is no connection"))
    }

    pub fn call<P, A, R>(&self, procedure: P, args: &A) -> api::Result<R>
    where
        P: ProgramProcedure,
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        self.connection()?.call(procedure, args)
    }

    /// A call whose reply tells nothing but that it was done.
    pub fn act<P, A>(&self, procedure: P, args: &A) -> api::Result<()>
    where
        P: ProgramProcedure,
        A: Codec<Value = A>,
    {
        self.call(procedure, args)
    }

    pub fn open_stream<P, A, R>(&self, procedure: P, args: &A) -> api::Result<(R, Stream)>
    where
        P: ProgramProcedure,
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        self.connection()?.open_stream(procedure, args)
    }

    /// A connection that broke is said to be broken, and the next command opens another.
    fn notice_end(&mut self) {
        let Some(reason) = self.connection.as_ref().and_then(Connection::closed) else { return };
        let why = match reason {
            CloseReason::Error => "I/O error",
            CloseReason::Eof => "end of file",
            CloseReason::Keepalive => "keepalive timeout",
            CloseReason::Client => "client request",
        };
        self.warn(&format!("Disconnected from {} due to {why}", self.uri));
        self.connection = None;
    }

    /// A result: always shown.
    pub fn print(&self, text: &str) {
        // A reader that has gone wants no more.
        let mut out = io::stdout().lock();
        _ = out.write_all(text.as_bytes());
        _ = out.flush();
    }

    /// Words for a person: not with `-q`.
    pub fn say(&self, text: &str) {
        if !self.settings.quiet {
            self.print(text);
        }
    }

    /// A line of confirmation; in JSON, an object that holds it.
    pub fn done(&self, text: String) -> Done {
        if self.json {
            self.print_json(&serde_json::json!({ "message": text }));
        } else {
            self.say(&format!("{text}\n"));
        }
        Ok(())
    }

    /// What a person should know of what was done; not with `-q`.
    pub fn caution(&self, text: &str) {
        if !self.settings.quiet {
            _ = writeln!(io::stderr(), "warning: {text}");
        }
    }

    pub fn warn(&self, text: &str) {
        let text = report::printable_lines(text);
        self.note(&text);
        _ = writeln!(io::stderr(), "error: {text}");
    }

    pub fn complain(&self, failure: &Failure) {
        for line in failure.lines() {
            self.warn(line);
        }
    }

    fn note(&self, text: &str) {
        if let Some(log) = &self.log {
            _ = writeln!(&*log, "virsh {}: error: {text}", std::process::id());
        }
    }

    pub fn table(&self, headers: &[&str], rows: &[Vec<String>]) -> Done {
        if self.json {
            self.print_json(&report::table_json(headers, rows));
        } else {
            self.print(&report::table(headers, rows, self.settings.quiet));
        }
        Ok(())
    }

    /// Names and values, the values from `column` on. A name carries its colon, if it has one.
    pub fn pairs(&self, column: usize, pairs: &[(&str, String)]) -> Done {
        if self.json {
            self.print_json(&report::pairs_json(pairs.iter().map(|(name, value)| (*name, value.as_str()))));
        } else {
            let lines: String =
                pairs.iter().map(|(name, value)| format!("{name:<column$}{}\n", report::printable(value))).collect();
            self.print(&lines);
        }
        Ok(())
    }

    /// A single result: itself on a line, or an object with it under `name`.
    pub fn value(&self, name: &str, value: &str) -> Done {
        if self.json {
            self.print_json(&report::pairs_json([(name, value)].into_iter()));
        } else {
            self.print(&format!("{}\n", report::printable(value)));
        }
        Ok(())
    }

    /// A document: printed with a line's end behind it whether it has one or not, as the original does.
    pub fn document(&self, text: &str) -> Done {
        match self.json {
            true => self.print_json(&serde_json::json!({ "xml": text })),
            false => self.print(&format!("{text}\n")),
        }
        Ok(())
    }

    pub fn print_json(&self, value: &Value) {
        self.print(&format!("{value:#}\n"));
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.disconnect();
    }
}
