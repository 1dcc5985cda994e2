//! A running container, seen from the machine: its controller, its PID 1, and commands run in its namespaces (nsenter(1)).

use std::fs;
use std::process::Command;
use std::time::Duration;
use tests::daemon::virsh;
use tests::program::{self, Outcome, PATIENCE};

pub struct Guest {
    pub name: String,
    /// The domain's id.
    pub controller: u32,
    pub init: u32,
}

impl Guest {
    /// The running domain of that name, as our daemon's clients see it.
    #[track_caller]
    pub fn of(name: &str) -> Guest {
        let id = virsh(&["domid", name]).ok();
        Guest::with_id(name, id.trim().parse().unwrap_or_else(|_| panic!("domain '{name}' has no id: '{id}'")))
    }

    /// Clients find a container's PID 1 as the only child of the process that is the domain's id.
    #[track_caller]
    pub fn with_id(name: &str, controller: u32) -> Guest {
        let children = fs::read_to_string(format!("/proc/{controller}/task/{controller}/children")).unwrap();
        let children: Vec<&str> = children.split_whitespace().collect();
        let [init] = children.as_slice() else { panic!("the controller's children are {children:?}") };
        Guest { name: name.to_string(), controller, init: init.parse().unwrap() }
    }

    /// Runs a line of shell in the container's namespaces and root.
    pub fn shell(&self, line: &str) -> Outcome {
        self.patient_shell(line, PATIENCE)
    }

    pub fn patient_shell(&self, line: &str, patience: Duration) -> Outcome {
        let mut command = Command::new("nsenter");
        let init = self.init.to_string();
        command.args(["--target", &init, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]);
        // A process cannot enter the user namespace that it is in.
        if self.namespace("user") != namespace(std::process::id(), "user") {
            command.arg("--user");
        }
        command.args(["/bin/sh", "-c", line]).env("PATH", "/bin:/sbin:/usr/bin:/usr/sbin");
        program::finish(command, b"", patience)
    }

    /// PID 1's environment, sorted.
    pub fn environment(&self) -> Vec<String> {
        let bytes = fs::read(format!("/proc/{}/environ", self.init)).unwrap();
        let mut lines: Vec<String> =
            String::from_utf8_lossy(&bytes).split_terminator('\0').map(str::to_string).collect();
        lines.sort();
        lines
    }

    /// The namespace of that kind of PID 1, as the kernel names it.
    pub fn namespace(&self, kind: &str) -> String {
        namespace(self.init, kind)
    }

    /// Follows a link of PID 1 in `/proc`, a field of its status, or any other file there.
    pub fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.init)).unwrap()
    }
}

pub fn namespace(pid: u32, kind: &str) -> String {
    fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap().to_string_lossy().into_owned()
}
