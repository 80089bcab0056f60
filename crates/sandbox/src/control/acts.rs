//! What a person does in a chat: one route for each act, in his private chat with a bot or in a group.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::routing::{MethodRouter, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::error::{Body, Named, Refusal, read};
use super::{bots, groups, users};
use crate::telegram::Telegram;
use crate::telegram::world::acts::{Actor, Material, Press, Pressed, Upload};
use crate::telegram::world::chat::{ChatKey, Member, Status};
use crate::telegram::world::media::{Hints, MediaKind};

/// How long a press, a payment and an inline query wait for the bot's answer, in real milliseconds.
const WAIT_MS: u64 = 5_000;

/// The largest file a person can send.
const MAX_FILE_BYTES: usize = 2_000 << 20;

/// An act and what its body looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act {
    pub(super) name: &'static str,
    expected: &'static str,
}

const FILE: &str = r#"{"file_base64"?, "size"?, "file_name"?, "mime_type"?, "caption"?, "width"?, "height"?, "duration"?, "performer"?, "title"?, "emoji"?, "reply_to"?}"#;

const ACTS: [Act; 22] = [
    Act { name: "text", expected: r#"{"text": "…", "reply_to"?: 12}"# },
    Act { name: "photo", expected: FILE },
    Act { name: "document", expected: FILE },
    Act { name: "video", expected: FILE },
    Act { name: "animation", expected: FILE },
    Act { name: "audio", expected: FILE },
    Act { name: "voice", expected: FILE },
    Act { name: "video_note", expected: FILE },
    Act { name: "sticker", expected: FILE },
    Act { name: "album", expected: r#"{"count": 3} or {"items": [{"kind": "photo", …}, …]}"# },
    Act { name: "location", expected: r#"{"latitude": 55.75, "longitude": 37.62, "reply_to"?: 12}"# },
    Act {
        name: "contact",
        expected: r#"{"own": true} or {"phone_number": "…", "first_name": "…", "last_name"?, "user_id"?}"#,
    },
    Act { name: "forward", expected: r#"{"message_id": 12}"# },
    Act {
        name: "press", expected: r#"{"message_id"?: 12, "data"?: "…", "text"?: "…", "wait_ms"?: 5000}"#
    },
    Act { name: "react", expected: r#"{"message_id": 12, "emoji": "👍" | ["👍"] | null}"# },
    Act { name: "edit", expected: r#"{"message_id": 12, "text": "…"}"# },
    Act { name: "delete", expected: r#"{"message_id": 12}"# },
    Act {
        name: "vote",
        expected: r#"{"message_id": 12, "option": 0} or {"message_id": 12, "options": [0, 2]}"#,
    },
    Act { name: "pay", expected: r#"{"message_id": 12, "wait_ms"?: 5000}"# },
    Act { name: "inline", expected: r#"{"query": "…", "offset"?: "…", "bot"?: 1, "wait_ms"?: 5000}"# },
    Act { name: "choose", expected: r#"{"result_id": "…", "bot"?: 1}"# },
    Act { name: "start", expected: r#"{"payload"?: "…"}"# },
];

const PRIVATE_ACTS: [Act; 2] =
    [Act { name: "block", expected: "{}" }, Act { name: "unblock", expected: "{}" }];

const GROUP_ACTS: [Act; 6] = [
    Act { name: "join", expected: "{}" },
    Act { name: "leave", expected: "{}" },
    Act { name: "add", expected: r#"{"member": 1}"# },
    Act { name: "kick", expected: r#"{"member": 1}"# },
    Act { name: "promote", expected: r#"{"member": 1}"# },
    Act { name: "demote", expected: r#"{"member": 1}"# },
];

/// The acts of a private chat.
pub(super) fn private() -> impl Iterator<Item = Act> {
    ACTS.into_iter().chain(PRIVATE_ACTS)
}

/// The acts of a group: a bot is started by its link in private only.
pub(super) fn group() -> impl Iterator<Item = Act> {
    ACTS.into_iter().filter(|act| act.name != "start").chain(GROUP_ACTS)
}

/// The route of an act in a private chat.
pub(super) fn in_private(act: Act) -> MethodRouter<Telegram> {
    post(
        move |State(telegram): State<Telegram>,
              Named((user, bot)): Named<(i64, i64)>,
              Body(body): Body<Value>| async move {
            bots::find(&telegram, bot)?;
            let chat = {
                let mut state = telegram.world().lock();
                users::check(&state, user)?;
                state.open_private(bot, user)
            };
            perform(&telegram, act, Actor { chat, user }, body).await.map(Json)
        },
    )
}

/// The route of an act in a group.
pub(super) fn in_group(act: Act) -> MethodRouter<Telegram> {
    post(
        move |State(telegram): State<Telegram>,
              Named((group, user)): Named<(i64, i64)>,
              Body(body): Body<Value>| async move {
            let chat = {
                let state = telegram.world().lock();
                users::check(&state, user)?;
                groups::find(&state, group)?
            };
            perform(&telegram, act, Actor { chat, user }, body).await.map(Json)
        },
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
    reply_to: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    payload: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// In albums only.
    kind: Option<String>,
    #[serde(rename = "file_base64")]
    base64: Option<String>,
    size: Option<usize>,
    #[serde(rename = "file_name")]
    name: Option<String>,
    mime_type: Option<String>,
    caption: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    duration: Option<i64>,
    performer: Option<String>,
    title: Option<String>,
    emoji: Option<String>,
    reply_to: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Album {
    count: Option<usize>,
    items: Option<Vec<File>>,
    caption: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Location {
    latitude: f64,
    longitude: f64,
    reply_to: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressing {
    message_id: Option<i64>,
    data: Option<String>,
    text: Option<String>,
    #[serde(default = "wait")]
    wait_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reacting {
    message_id: i64,
    emoji: Option<OneOrMany<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Editing {
    message_id: i64,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointing {
    message_id: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Voting {
    message_id: i64,
    option: Option<usize>,
    options: Option<Vec<usize>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paying {
    message_id: i64,
    #[serde(default = "wait")]
    wait_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inline {
    query: String,
    #[serde(default)]
    offset: String,
    bot: Option<i64>,
    #[serde(default = "wait")]
    wait_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choosing {
    result_id: String,
    bot: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    member: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn wait() -> u64 {
    WAIT_MS
}

/// The answer of a bot, if it comes in time.
async fn answer(receiver: oneshot::Receiver<Value>, wait_ms: u64) -> Value {
    let waited = tokio::time::timeout(Duration::from_millis(wait_ms), receiver).await;
    waited.ok().and_then(Result::ok).unwrap_or(Value::Null)
}

async fn perform(telegram: &Telegram, act: Act, actor: Actor, body: Value) -> Result<Value, Refusal> {
    match act.name {
        "press" => return press(telegram, actor, parse(act, body)?).await,
        "pay" => {
            let Paying { message_id, wait_ms } = parse(act, body)?;
            let paying = telegram.world().lock().act_pay(actor, message_id)?;
            let outcome = answer(paying.outcome, wait_ms).await;
            return Ok(json!({"query_id": paying.query_id, "outcome": outcome}));
        }
        "inline" => {
            let Inline { query, offset, bot, wait_ms } = parse(act, body)?;
            let bot = asked_bot(telegram, actor, bot)?;
            let (id, receiver) = telegram.world().lock().act_inline(actor, bot, &query, &offset);
            return Ok(json!({"inline_query_id": id, "answer": answer(receiver, wait_ms).await}));
        }
        _ => {}
    }
    if let Some(kind) = MediaKind::read(act.name) {
        let file: File = parse(act, body)?;
        let reply_to = file.reply_to;
        let upload = upload(file)?;
        let id = telegram.world().lock().act_media(actor, kind, upload, reply_to)?;
        return Ok(json!({"message_id": id}));
    }
    simple(telegram, act, actor, body)
}

/// Acts that end at once.
fn simple(telegram: &Telegram, act: Act, actor: Actor, body: Value) -> Result<Value, Refusal> {
    let sent = |id: i64| Ok(json!({"message_id": id}));
    let done = || Ok(json!({}));
    match act.name {
        "text" => {
            let Text { text, reply_to } = parse(act, body)?;
            sent(telegram.world().lock().act_text(actor, &text, reply_to)?)
        }
        "start" => {
            let Start { payload } = parse(act, body)?;
            sent(telegram.world().lock().act_start(actor, payload.as_deref())?)
        }
        "album" => {
            let items = album(parse(act, body)?)?;
            let ids = telegram.world().lock().act_album(actor, items)?;
            Ok(json!({"message_ids": ids}))
        }
        "location" => {
            let Location { latitude, longitude, reply_to } = parse(act, body)?;
            sent(telegram.world().lock().act_location(actor, latitude, longitude, reply_to)?)
        }
        "contact" => {
            let mut fields: Map<String, Value> = parse(act, body)?;
            let own = fields.remove("own").is_some_and(|own| own == json!(true)) || fields.is_empty();
            if !own && !["phone_number", "first_name"].iter().all(|name| fields.contains_key(*name)) {
                return Err(Refusal::bad("the contact has no phone_number or no first_name", act.expected));
            }
            sent(telegram.world().lock().act_contact(actor, (!own).then_some(fields), None)?)
        }
        "forward" => {
            let Pointing { message_id } = parse(act, body)?;
            sent(telegram.world().lock().act_forward(actor, message_id)?)
        }
        "react" => {
            let Reacting { message_id, emoji } = parse(act, body)?;
            let emojis = emoji.map(OneOrMany::into_vec).unwrap_or_default();
            telegram.world().lock().act_react(actor, message_id, &emojis)?;
            done()
        }
        "edit" => {
            let Editing { message_id, text } = parse(act, body)?;
            telegram.world().lock().act_edit(actor, message_id, &text)?;
            done()
        }
        "delete" => {
            let Pointing { message_id } = parse(act, body)?;
            telegram.world().lock().act_delete(actor, message_id)?;
            done()
        }
        "vote" => {
            let Voting { message_id, option, options } = parse(act, body)?;
            let options = options.unwrap_or_else(|| option.into_iter().collect());
            telegram.world().lock().act_vote(actor, message_id, &options)?;
            done()
        }
        "choose" => {
            let Choosing { result_id, bot } = parse(act, body)?;
            let bot = asked_bot(telegram, actor, bot)?;
            sent(telegram.world().lock().act_choose(actor, bot, &result_id)?)
        }
        _ => membership(telegram, act, actor, body),
    }
}

/// Blocking, joining, leaving, and what an owner does to members.
fn membership(telegram: &Telegram, act: Act, actor: Actor, body: Value) -> Result<Value, Refusal> {
    let (chat, user) = (actor.chat, actor.user);
    if let ChatKey::Private { bot, user } = chat {
        let Nothing {} = parse(act, body)?;
        telegram.world().lock().set_blocked(bot, user, act.name == "block");
        return Ok(json!({}));
    }
    if matches!(act.name, "join" | "leave") {
        let Nothing {} = parse(act, body)?;
        let mut state = telegram.world().lock();
        let inside = state.is_in(chat, user);
        match (act.name, inside) {
            ("join", false) => state.join(chat, user, user, Status::Member),
            ("leave", true) => state.leave(chat, user, user, Status::Left),
            ("join", true) => return Err(Refusal::bad("the user is in the group", "a user outside of it")),
            _ => return Err(Refusal::bad("the user is not in the group", "a member")),
        }
        return Ok(json!({}));
    }
    let About { member } = parse(act, body)?;
    if telegram.bot(member).is_some() {
        bots::find(telegram, member)?;
    } else {
        users::check(&telegram.world().lock(), member)?;
    }
    let mut state = telegram.world().lock();
    let inside = state.is_in(chat, member);
    match (act.name, inside) {
        ("add", false) => state.join(chat, member, user, Status::Member),
        ("kick", true) => state.leave(chat, member, user, Status::Kicked),
        ("promote", true) => state.set_member(chat, member, user, Member::new(Status::Administrator)),
        ("demote", true) => state.set_member(chat, member, user, Member::new(Status::Member)),
        ("add", true) => return Err(Refusal::bad("the account is in the group", "an account outside of it")),
        _ => return Err(Refusal::bad("the account is not in the group", "the id of a member")),
    }
    Ok(json!({}))
}

async fn press(telegram: &Telegram, actor: Actor, press: Pressing) -> Result<Value, Refusal> {
    let Pressing { message_id, data, text, wait_ms } = press;
    let pressed = telegram.world().lock().act_press(actor, &Press { message_id, data, text })?;
    Ok(match pressed {
        Pressed::Callback { query_id, message_id, answer: receiver } => json!({
            "callback_query_id": query_id,
            "message_id": message_id,
            "answer": answer(receiver, wait_ms).await,
        }),
        Pressed::Sent { message_id } => json!({"message_id": message_id}),
        Pressed::Opened(what) => json!({"opened": what}),
    })
}

/// The bot an inline query is for: the one named, else the one of the private chat.
fn asked_bot(telegram: &Telegram, actor: Actor, named: Option<i64>) -> Result<i64, Refusal> {
    let bot = match (named, actor.chat) {
        (Some(bot), _) | (None, ChatKey::Private { bot, .. }) => bot,
        (None, ChatKey::Group(_)) => {
            return Err(Refusal::bad(
                "a group has no bot of its own",
                "\"bot\": the id of the bot that is asked",
            ));
        }
    };
    bots::find(telegram, bot).map(|bot| bot.id())
}

fn parse<T: DeserializeOwned>(act: Act, body: Value) -> Result<T, Refusal> {
    read(body, act.expected)
}

fn upload(file: File) -> Result<Upload, Refusal> {
    let material = match (file.base64, file.size) {
        (Some(text), None) => {
            let bytes = STANDARD
                .decode(text.trim())
                .map_err(|error| Refusal::bad(error.to_string(), "\"file_base64\" in standard base64"))?;
            Material::Given(bytes.into())
        }
        (None, None) => Material::MadeUp { size: None },
        (None, Some(size)) if (1..=MAX_FILE_BYTES).contains(&size) => Material::MadeUp { size: Some(size) },
        (Some(_) | None, Some(_)) => {
            return Err(Refusal::bad(
                "the content is unclear",
                format!("either \"file_base64\" or \"size\" (of 1 to {MAX_FILE_BYTES})"),
            ));
        }
    };
    let hints = Hints {
        width: file.width,
        height: file.height,
        duration: file.duration,
        performer: file.performer,
        title: file.title,
        emoji: file.emoji,
        thumbnail: None,
    };
    Ok(Upload { material, file_name: file.name, mime_type: file.mime_type, caption: file.caption, hints })
}

fn album(album: Album) -> Result<Vec<(MediaKind, Upload)>, Refusal> {
    let mut files = match (album.items, album.count) {
        (Some(items), None) => items,
        (None, count) => (0..count.unwrap_or(2).min(11)).map(|_| File::default()).collect(),
        (Some(_), Some(_)) => {
            return Err(Refusal::bad("the album is unclear", "either \"items\" or \"count\""));
        }
    };
    if let (Some(caption), Some(first)) = (album.caption, files.first_mut()) {
        first.caption = Some(caption);
    }
    files
        .into_iter()
        .map(|file| {
            let kind = file.kind.as_deref().unwrap_or("photo");
            let kind = MediaKind::read(kind)
                .filter(|kind| {
                    matches!(
                        kind,
                        MediaKind::Photo | MediaKind::Video | MediaKind::Document | MediaKind::Audio
                    )
                })
                .ok_or_else(|| {
                    Refusal::bad(
                        format!("{kind:?} cannot be in an album"),
                        "\"kind\": \"photo\", \"video\", \"document\" or \"audio\"",
                    )
                })?;
            Ok((kind, upload(file)?))
        })
        .collect()
}
