//! A browser that somebody uses by the keyboard alone. It reaches nothing but this machine.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::local::tools;

/// A page in a browser. Its calls block: use it off the runtime that serves.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Option<String>,
    next_id: u64,
    _folder: tempfile::TempDir,
}

impl Browser {
    /// Opens an address.
    ///
    /// # Panics
    ///
    /// When there is no browser, or it doesn't do as it is told.
    pub fn open(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            let made = Command::new("mkfifo").arg(&path).status();
            assert!(made.expect("mkfifo is there").success());
            path
        };
        let (to, from) = (pipe("to"), pipe("from"));
        let mut child = Command::new("sh");
        // The browser takes its orders from descriptor 3 and answers on 4.
        child
            .args(["-c", r#"exec "$0" "$@" 3<"$TO" 4>"$FROM""#])
            .arg(tools::chromium().expect("a browser; run `make test`"))
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--remote-debugging-pipe"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost")
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .envs([("TO", &to), ("FROM", &from)])
            .stderr(std::process::Stdio::null());
        let child = child.spawn().expect("the browser starts");
        let to = File::options().write(true).open(to).expect("it listens");
        let from = BufReader::new(File::open(from).expect("it answers"));
        let mut browser = Self {
            child,
            to,
            from,
            session: None,
            next_id: 0,
            _folder: folder,
        };
        let page = browser.call("Target.createTarget", json!({ "url": url }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        let session = attached["sessionId"].as_str().expect("a session");
        browser.session = Some(session.to_owned());
        browser
    }

    /// Types where the cursor is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Types over what is in the field.
    pub fn replace(&mut self, text: &str) {
        self.evaluate("document.activeElement.select()");
        self.write(text);
    }

    /// Goes to the next thing that can be used.
    pub fn tab(&mut self) {
        self.press("Tab", 9, "");
    }

    /// Presses Enter.
    pub fn enter(&mut self) {
        self.press("Enter", 13, "\r");
    }

    /// What is to be read on the page.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body ? document.body.innerText : ''")
    }

    /// The name of the field that the cursor is in.
    pub fn focus(&mut self) -> String {
        self.evaluate("document.activeElement?.name || document.activeElement?.type || ''")
    }

    /// The page's whole address.
    pub fn address(&mut self) -> String {
        self.evaluate("location.href")
    }

    /// Waits until the page says something.
    ///
    /// # Panics
    ///
    /// When it doesn't.
    pub fn wait_for(&mut self, words: &str) {
        for _ in 0..20_000 {
            if self.text().contains(words) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("{words:?} never came: {}", self.text());
    }

    fn evaluate(&mut self, expression: &str) -> String {
        let done = self.call("Runtime.evaluate", json!({ "expression": expression }));
        let text = done["result"]["value"].as_str();
        text.unwrap_or_default().to_owned()
    }

    fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// One order and its answer; what else happens meanwhile is passed over.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let mut order = json!({ "id": self.next_id, "method": method, "params": params });
        if let Some(session) = &self.session {
            order["sessionId"] = session.as_str().into();
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser listens");
        loop {
            let mut bytes = Vec::new();
            self.from
                .read_until(0, &mut bytes)
                .expect("the browser answers");
            assert!(bytes.pop().is_some(), "the browser has gone");
            let answer: Value = serde_json::from_slice(&bytes).expect("it answers with JSON");
            if answer["id"] == self.next_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It is a throw-away: whatever it was doing is not worth waiting for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
