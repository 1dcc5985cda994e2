//! `cargo xtask demo`: the two documents of libvirt's documentation, unchanged, the whole way through, for a person to watch.

mod kernel;

use crate::packages::{self, BUSYBOX, DNSMASQ, IPROUTE, NFTABLES, PROCPS};
use crate::{Result, build, run, sandbox};
use rustix::process::Signal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::documents::{PRIVATE_ROOT, VM1, VM1_PRIVATE_ROOT};
use tests::terminal::Terminal;
use tests::{image, program};

/// No step takes longer unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// What PID 1 of the second document does: a shell on the console.
const INIT: &str = "exec /bin/sh";

pub fn command(arguments: &[String]) -> Result<u8> {
    let here = match arguments {
        [] => false,
        [word] if word == "--here" => true,
        _ => return Err("demo takes nothing, or --here to run on the machine itself".into()),
    };
    require_root()?;
    kernel::require(here)?;
    packages::ensure(&[BUSYBOX, DNSMASQ, NFTABLES, IPROUTE, PROCPS])?;
    kernel::require_network()?;
    println!("Building the programs ...");
    build::build()?;
    if here {
        return on_the_machine();
    }
    println!("Entering a throw-away copy of this machine ...");
    let ourselves = run::program()?;
    let stage = [ourselves.to_string_lossy().into_owned(), "demo-inside".to_string()];
    sandbox::run_inside(&sandbox::Options::default(), &stage)
}

/// The demonstration itself, where everything may be left behind since it vanishes.
pub fn inside(_: &[String]) -> Result<u8> {
    if !tests::sandbox::entered() {
        return Err("demo-inside is a stage of demo, which makes the sandbox for it".into());
    }
    let show = Show { virsh: run::programs()?.join("virsh"), uri: None, folder: PathBuf::from("/tmp") };
    let _daemon = Daemon::start(None)?;
    show.everything().map(|()| 0)
}

/// On the machine itself: the daemon's folders are below one of our own, and all that was made is removed again.
fn on_the_machine() -> Result<u8> {
    if Path::new(PRIVATE_ROOT).exists() {
        return Err(format!("{PRIVATE_ROOT} exists on this machine; the demo would use that folder and remove it"));
    }
    if Path::new("/sys/class/net/virbr0").exists() {
        return Err("this machine has a bridge virbr0 already; without --here the demo runs beside it".into());
    }
    let folder = PathBuf::from(format!("/var/tmp/virtlxc-demo.{}", std::process::id()));
    fs::create_dir(&folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
    let uri = format!("lxc+unix:///system?socket={}", folder.join("run/libvirt/virtlxcd-sock").display());
    let show = Show { virsh: run::programs()?.join("virsh"), uri: Some(uri), folder: folder.clone() };
    let outcome = Daemon::start(Some(&folder)).and_then(|_daemon| {
        let outcome = show.everything();
        // What a failed step may have left is taken down too; where all went well these find nothing.
        _ = show.virsh(&["destroy", "vm1"]).output();
        _ = show.virsh(&["net-destroy", "default"]).output();
        outcome
    });
    _ = fs::remove_dir_all(PRIVATE_ROOT);
    _ = fs::remove_dir_all(&folder);
    println!("Everything that was made is removed again.");
    outcome.map(|()| 0)
}

/// Our `virtlxcd`, in the background, told to end when dropped.
struct Daemon {
    pid: u32,
}

impl Daemon {
    fn start(root: Option<&Path>) -> Result<Daemon> {
        let mut command = Command::new(run::programs()?.join("virtlxcd"));
        command.arg("-d");
        if let Some(root) = root {
            command.arg("--root").arg(root);
        }
        // Returns once the daemon is ready to serve.
        run::run(&mut command)?;
        let file = root.unwrap_or(Path::new("/")).join("run/virtlxcd.pid");
        let pid = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let pid = pid.trim().parse().map_err(|_| format!("{} holds no number", file.display()))?;
        Ok(Daemon { pid })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        program::kill(self.pid, Signal::TERM);
        if !program::ended_within(self.pid, PATIENCE) {
            program::kill(self.pid, Signal::KILL);
        }
    }
}

struct Show {
    virsh: PathBuf,
    /// Where the daemon is not the system's.
    uri: Option<String>,
    /// For the documents.
    folder: PathBuf,
}

impl Show {
    fn everything(&self) -> Result<()> {
        heading("The first document: a shell on the machine's own root, alone in its namespaces");
        self.document("vm1.xml", VM1, "/bin/sh")?;
        heading("The second document: an init of its own, on a root of its own");
        image::busybox(Path::new(PRIVATE_ROOT), INIT).map_err(|error| format!("making {PRIVATE_ROOT}: {error}"))?;
        println!("({PRIVATE_ROOT} holds Debian's busybox; its /init is a shell script: {INIT})\n");
        self.document("vm1-private-root.xml", VM1_PRIVATE_ROOT, "/init")?;
        heading("Both documents ran the whole way.");
        Ok(())
    }

    fn document(&self, name: &str, text: &str, init: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|error| format!("writing {}: {error}", path.display()))?;
        let path = path.to_string_lossy().into_owned();
        println!("$ cat {path}\n{text}");
        self.step(&["define", &path], "defined")?;
        self.step(&["start", "vm1"], "started")?;
        self.step(&["list"], "running")?;
        self.console()?;
        self.step(&["dumpxml", "vm1"], init)?;
        self.step(&["destroy", "vm1"], "destroyed")?;
        self.step(&["undefine", "vm1"], "undefined")?;
        self.step(&["list", "--all"], "")
    }

    /// One command, shown with its output; an error unless it succeeds and says what it should.
    fn step(&self, arguments: &[&str], says: &str) -> Result<()> {
        println!("$ virsh {}", arguments.join(" "));
        let outcome = program::observe(self.virsh(arguments), b"", PATIENCE)?;
        print!("{}{}", outcome.out, outcome.err);
        if outcome.code != 0 || !outcome.out.contains(says) {
            return Err(format!("virsh {} failed (status {})", arguments.join(" "), outcome.code));
        }
        Ok(())
    }

    /// `ps -ef` typed on the console; only the container's processes may be listed.
    fn console(&self) -> Result<()> {
        println!("$ virsh console vm1");
        let mut command = self.virsh(&["console", "vm1"]);
        let failed = |error: std::io::Error| format!("the console's terminal: {error}");
        let mut terminal = Terminal::start(&mut command).map_err(failed)?;
        let mut shown = terminal.expect("Escape character is", PATIENCE)?;
        shown += &terminal.expect("\n", PATIENCE)?;
        shown += &terminal.prompt(PATIENCE)?;
        terminal.type_in("ps -ef\r").map_err(failed)?;
        let listing = terminal.expect_where("the list of processes", PATIENCE, |new| {
            let header = new.find("PID")?;
            let end = new.get(header..)?.rfind("\n")? + header;
            new.get(end..)?.find("# ").map(|at| end + at + 2)
        })?;
        shown += &listing;
        terminal.type_in("\u{1d}").map_err(failed)?;
        let code = terminal.wait(PATIENCE);
        println!("{shown}\n");
        if code != Some(0) {
            return Err(format!("virsh console vm1 failed (status {code:?})"));
        }
        let processes = listing.lines().skip_while(|line| !line.contains("PID")).skip(1);
        match processes.filter(|line| !line.trim_end().ends_with('#') && !line.trim().is_empty()).count() {
            1..=4 => Ok(()),
            count => Err(format!("ps lists {count} processes: more than the container's own")),
        }
    }

    fn virsh(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.virsh);
        command.args(arguments);
        match &self.uri {
            Some(uri) => command.env("LIBVIRT_DEFAULT_URI", uri),
            None => command.env_remove("LIBVIRT_DEFAULT_URI"),
        };
        command
    }
}

fn heading(text: &str) {
    println!("\n== {text}\n");
}

fn require_root() -> Result<()> {
    match rustix::process::geteuid().is_root() {
        true => Ok(()),
        false => Err("containers are namespaces and mounts, which only root may make: run the demo as root".into()),
    }
}
