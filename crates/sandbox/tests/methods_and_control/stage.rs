//! A sandbox with a frozen clock, a bot, and Ann, who has started it. Speaks raw HTTP to both listeners.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_sandbox::{Clock, Config, Sandbox};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What the frozen clock shows first, in seconds.
pub(crate) const START: i64 = 1_800_000_000;
/// How long a test waits for an answer.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    pub(crate) bot: i64,
    pub(crate) token: String,
    pub(crate) ann: i64,
    offset: std::sync::atomic::AtomicI64,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        let clock = Clock::manual(START * 1000);
        let sandbox =
            Sandbox::start(Config { clock: clock.clone(), seed: 7, ..Config::default() }).await.unwrap();
        let offset = std::sync::atomic::AtomicI64::new(0);
        let mut stage = Self { sandbox, clock, bot: 0, token: String::new(), ann: 0, offset };
        (stage.bot, stage.token) = stage.new_bot("bonus_bot").await;
        let ann =
            json!({"id": 5_000_000_001_i64, "first_name": "Ann", "username": "ann", "phone": "+79990001122"});
        stage.ann = id(&stage.control("/users", ann).await);
        stage.acts("start", json!({})).await;
        stage.updates().await;
        stage
    }

    pub(crate) async fn new_bot(&self, username: &str) -> (i64, String) {
        let bot = self.control("/bots", json!({"username": username, "first_name": "Bonus"})).await;
        (id(&bot), bot["token"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn new_user(&self, first_name: &str) -> i64 {
        id(&self.control("/users", json!({"first_name": first_name})).await)
    }

    /// A call of the bot: the whole envelope.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        self.call_as(&self.token, method, params).await
    }

    pub(crate) async fn call_as(&self, token: &str, method: &str, params: Value) -> Value {
        let path = format!("/bot{token}/{method}");
        let answer =
            request(&self.sandbox.telegram_url(), "POST", &path, "application/json", params.to_string())
                .await;
        assert_eq!(i64::from(answer.0), answer.1["error_code"].as_i64().unwrap_or(200), "{}", answer.1);
        answer.1
    }

    /// The result of a call that must succeed.
    pub(crate) async fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params.clone()).await;
        assert_eq!(answer["ok"], true, "{method} {params}: {answer}");
        answer["result"].clone()
    }

    /// The words of a call that must fail.
    pub(crate) async fn refused(&self, method: &str, params: Value) -> String {
        let answer = self.call(method, params.clone()).await;
        assert_eq!(answer["ok"], false, "{method} {params}: {answer}");
        answer["description"].as_str().unwrap().to_owned()
    }

    /// A call with files as multipart.
    pub(crate) async fn upload(&self, method: &str, params: Value, files: &[(&str, &str, &[u8])]) -> Value {
        let mut body = Vec::new();
        for (name, value) in params.as_object().unwrap() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            body.extend(
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
            );
        }
        for (part, file_name, bytes) in files {
            let head = format!(
                "--b\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"{file_name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        let path = format!("/bot{}/{method}", self.token);
        request(&self.sandbox.telegram_url(), "POST", &path, "multipart/form-data; boundary=b", body).await.1
    }

    /// What the bot downloads.
    pub(crate) async fn download(&self, file_id: &str) -> Vec<u8> {
        let file = self.ok("getFile", json!({"file_id": file_id})).await;
        let path = format!("/file/bot{}/{}", self.token, file["file_path"].as_str().unwrap());
        bytes(&self.sandbox.telegram_url(), "GET", &path, "text/plain", "").await.1
    }

    /// A text of the bot to Ann.
    pub(crate) async fn says(&self, text: &str) -> Value {
        self.ok("sendMessage", json!({"chat_id": self.ann, "text": text})).await
    }

    /// Posts to the control API what must succeed.
    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.control_raw("POST", path, body.to_string()).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let (status, answer) = self.control_raw("GET", path, String::new()).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) async fn control_raw(&self, verb: &str, path: &str, body: String) -> (u16, Value) {
        request(&self.sandbox.control_url(), verb, path, "application/json", body).await
    }

    /// Ann does something in her private chat with the bot.
    pub(crate) async fn acts(&self, act: &str, body: Value) -> Value {
        self.control(&self.act_path(act), body).await
    }

    pub(crate) fn act_path(&self, act: &str) -> String {
        format!("/users/{}/bots/{}/{act}", self.ann, self.bot)
    }

    /// What Ann could not do, in the control API's words.
    pub(crate) async fn impossible(&self, act: &str, body: Value) -> Value {
        let (status, answer) = self.control_raw("POST", &self.act_path(act), body.to_string()).await;
        assert!(status == 400 || status == 404, "{act} {body}: {status} {answer}");
        answer
    }

    /// What Ann sees.
    pub(crate) async fn chat(&self) -> Value {
        self.look(&self.act_path("chat")).await
    }

    /// The last message that Ann sees.
    pub(crate) async fn last(&self) -> Value {
        self.chat().await["messages"].as_array().unwrap().last().unwrap().clone()
    }

    /// The bot's new updates, which are thereby confirmed.
    pub(crate) async fn updates(&self) -> Vec<Value> {
        use std::sync::atomic::Ordering::Relaxed;
        let mut all = Vec::new();
        loop {
            // Else the server would hold the repeated poll, and give one update only.
            self.clock.advance(Duration::from_secs(3));
            let offset = self.offset.load(Relaxed);
            let kinds = json!([
                "message",
                "edited_message",
                "channel_post",
                "edited_channel_post",
                "message_reaction",
                "inline_query",
                "chosen_inline_result",
                "callback_query",
                "shipping_query",
                "pre_checkout_query",
                "poll",
                "poll_answer",
                "my_chat_member",
                "chat_member",
                "chat_join_request",
                "business_connection",
            ]);
            let updates = self.ok("getUpdates", json!({"offset": offset, "allowed_updates": kinds})).await;
            let updates = updates.as_array().unwrap().clone();
            let Some(last) = updates.last() else { return all };
            self.offset.store(last["update_id"].as_i64().unwrap() + 1, Relaxed);
            all.extend(updates);
        }
    }

    /// The only new update, which must be of this kind.
    pub(crate) async fn update(&self, kind: &str) -> Value {
        let updates = self.updates().await;
        assert_eq!(updates.len(), 1, "{updates:?}");
        assert!(updates[0][kind].is_object(), "no {kind}: {}", updates[0]);
        updates[0][kind].clone()
    }
}

/// The id of something created.
pub(crate) fn id(created: &Value) -> i64 {
    created["id"].as_i64().unwrap_or_else(|| panic!("no id: {created}"))
}

/// The id of a message.
pub(crate) fn message_id(message: &Value) -> i64 {
    message["message_id"].as_i64().unwrap_or_else(|| panic!("no message_id: {message}"))
}

/// A small valid picture; `mark` makes it differ from others.
pub(crate) fn picture(mark: u8) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x04\0\0\0\x03\0".to_vec();
    png.extend([8, 2, 0, 0, 0, mark]);
    png
}

async fn request(
    base: &str,
    verb: &str,
    path: &str,
    content_type: &str,
    body: impl AsRef<[u8]>,
) -> (u16, Value) {
    let (status, body) = bytes(base, verb, path, content_type, body).await;
    if body.is_empty() {
        return (status, Value::Null);
    }
    let json = serde_json::from_slice(&body);
    (status, json.unwrap_or_else(|_| panic!("{verb} {path}: {}", String::from_utf8_lossy(&body))))
}

async fn bytes(
    base: &str,
    verb: &str,
    path: &str,
    content_type: &str,
    body: impl AsRef<[u8]>,
) -> (u16, Vec<u8>) {
    let body = body.as_ref();
    let head = format!(
        "{verb} {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let answer =
        tokio::time::timeout(LIMIT, exchange).await.unwrap_or_else(|_| panic!("no answer: {verb} {path}"));
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, answer[end..].to_vec())
}
