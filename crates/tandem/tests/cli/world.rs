//! A directory with a database, a Telegram and an amoCRM beside it, and the program in it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{self, Receiver},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long something may take to be seen on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The program, without a word of the environment that could change what it does.
pub(crate) fn tandem(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.env_clear().current_dir(directory).stdin(Stdio::null());
    command
}

/// What a finished command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It has done what it was asked for.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }

    /// The same, as JSON.
    pub(crate) fn json(self) -> Value {
        let out = self.done();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// It has not: what it said, which has one line of what and one of what to do.
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.code, 1, "{self:#?}");
        assert_eq!(self.err.lines().count(), 2, "{self:#?}");
        assert!(self.err.starts_with("tandem: "), "{self:#?}");
        self.err
    }
}

/// A machine of somebody who runs Tandem.
pub(crate) struct World {
    directory: TempDir,
    sandbox: Child,
    addresses: Value,
}

impl World {
    /// With one bot that amoCRM holds.
    pub(crate) fn with_amocrm() -> Self {
        let world = Self::new();
        world.control("/amocrm/connect", &json!({ "token": world.token() }));
        world
    }

    /// With one bot that nobody holds.
    pub(crate) fn new() -> Self {
        let directory = tandem_testkit::folder();
        let mut sandbox = tandem(directory.path())
            .args(["sandbox", "--json", "--telegram", "127.0.0.1:0", "--amocrm", "127.0.0.1:0"])
            .args(["--wahelp", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(sandbox.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { directory, sandbox, addresses: serde_json::from_str(&line).unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn token(&self) -> String {
        self.addresses["bots"][0]["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn bot(&self) -> i64 {
        self.addresses["bots"][0]["id"].as_i64().unwrap()
    }

    /// The program with the settings of this machine.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tandem(self.directory.path());
        command
            .args(arguments)
            .env("TANDEM_SERVER__GATEWAY", "127.0.0.1:0")
            .env("TANDEM_SERVER__PUBLIC", "127.0.0.1:0")
            .env("TANDEM_TELEGRAM__API_BASE", self.addresses["telegram"].as_str().unwrap())
            .env("TANDEM_SECURITY__ALLOW_PRIVATE_ADDRESSES", "true");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who refuses early reads nothing.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        Said::of(child.wait_with_output().unwrap())
    }

    /// Takes the bot over, and gives the token of its app.
    pub(crate) fn adopt(&self) -> String {
        let adopted = self.run_with_input(&["adopt", "--json"], &self.token()).json();
        adopted["app_token"].as_str().unwrap_or_else(|| panic!("{adopted}")).to_owned()
    }

    /// Starts the service and waits until it says that it is ready.
    pub(crate) fn serve(&self) -> Service {
        self.serve_with(&[])
    }

    /// The same with further arguments.
    pub(crate) fn serve_with(&self, arguments: &[&str]) -> Service {
        let mut child = self
            .command(&["serve"])
            .args(arguments)
            .env("TANDEM_LOG__FORMAT", "json")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, log) = mpsc::channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let mut service =
            Service { child, log, said: Vec::new(), gateway: String::new(), public: String::new() };
        let ready = service.wait_for("ready");
        ready["gateway.address"].as_str().unwrap().clone_into(&mut service.gateway);
        ready["public.address"].as_str().unwrap().clone_into(&mut service.public);
        service
    }

    /// A client of the bot writes to it.
    pub(crate) fn client_says(&self, text: &str) {
        let user = self.control("/users", &json!({ "first_name": "Anna" }))["id"].as_i64().unwrap();
        self.control(&format!("/users/{user}/bots/{}/text", self.bot()), &json!({ "text": text }));
    }

    /// What the manager sees in amoCRM.
    pub(crate) fn amocrm_chats(&self) -> String {
        self.ask_sandbox("GET", &format!("/amocrm/{}/chats", self.bot()), "")
    }

    fn control(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask_sandbox("POST", path, &body.to_string());
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    fn ask_sandbox(&self, method: &str, path: &str, body: &str) -> String {
        let control = self.addresses["control"].as_str().unwrap().trim_start_matches("http://");
        http(control, method, path, body).1
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.sandbox.kill().ok();
        self.sandbox.wait().ok();
    }
}

/// A running service.
pub(crate) struct Service {
    child: Child,
    log: Receiver<String>,
    said: Vec<String>,
    pub(crate) gateway: String,
    pub(crate) public: String,
}

impl Service {
    /// Waits for a line of the log whose message begins so.
    pub(crate) fn wait_for(&mut self, beginning: &str) -> Value {
        let give_up = Instant::now() + LIMIT;
        loop {
            let left = give_up.saturating_duration_since(Instant::now());
            let line = self
                .log
                .recv_timeout(left)
                .unwrap_or_else(|error| panic!("{error} while waiting for {beginning:?}: {:#?}", self.said));
            self.said.push(line.clone());
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if line["message"].as_str().unwrap().starts_with(beginning) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a service manager does, and waits: how it ended, after how long, and its whole log.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration, Vec<String>) {
        let begin = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        let took = begin.elapsed();
        while let Ok(line) = self.log.recv() {
            self.said.push(line);
        }
        (status, took, std::mem::take(&mut self.said))
    }

    /// A call of an app.
    pub(crate) fn call(&self, token: &str, call: &str) -> Value {
        let (_, body) = http(&self.gateway, "GET", &format!("/bot{token}/{call}"), "");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap();
    assert!(sent.success());
}

/// One exchange over a connection of its own: status and body.
pub(crate) fn http(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    exchange(&mut stream, method, path, body)
}

pub(crate) fn exchange(
    stream: &mut (impl std::io::Read + std::io::Write),
    method: &str,
    path: &str,
    body: &str,
) -> (u16, String) {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    // Who finds the body too long answers before it has all of it.
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
    let mut answer = String::new();
    BufReader::new(stream).read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Looks until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < give_up, "in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
