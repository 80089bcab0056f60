//! Fetching what an integration gave an address for: a plain GET without redirects, as amoCRM's storage does it,
//! with a complaint for everything that would have gone wrong there (reference 1.7.5).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::header;
use sha2::{Digest as _, Sha256};

use super::chat::{FetchState, Fetched};
use super::given::Kind;
use crate::amocrm::attachments::Stored;
use crate::amocrm::bot_api::in_words;
use crate::amocrm::ids::hex;
use crate::amocrm::{AmoCrm, State};

/// A file that is not there by then is given up.
const PATIENCE: Duration = Duration::from_mins(1);
/// More than this is read and counted, but not kept.
const KEPT_BYTES: usize = 32 << 20;
const USER_AGENT: &str = "amoCRM amoJo/1.0";

/// What a fetch brought, whole or not.
struct Outcome {
    fetched: Fetched,
    bytes: Option<Bytes>,
    complaints: Vec<(&'static str, String)>,
}

/// What a file must be.
struct Expected {
    /// How its content type must begin; `None` where anything goes.
    content_type: Option<&'static str>,
    /// The size that was claimed.
    size_bytes: Option<u64>,
}

/// Looks at an address before it is fetched: a bot's token in it is everybody's token from then on.
pub(crate) fn look_at_address(
    state: &mut State,
    channel: &str,
    message: Option<&str>,
    url: &str,
    now_ms: i64,
) {
    if has_token(url) {
        let text = "the address has a bot's token in it, and amoCRM shows addresses to people";
        state.amojo.complaints.add(now_ms, channel, message, "token_in_address", text);
    }
}

/// `<digits>:<at least 30 characters of tokens>`, the shape of a bot's token.
fn has_token(url: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(url).decode_utf8_lossy();
    decoded.match_indices(':').any(|(colon, _)| {
        let digits = decoded[..colon].bytes().rev().take_while(u8::is_ascii_digit).count();
        let secret = decoded[colon + 1..]
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            .count();
        digits >= 6 && secret >= 30
    })
}

/// Fetches a message's file; the message shows how that went.
pub(crate) async fn media(amocrm: AmoCrm, channel: String, chat_id: String, message: String, url: String) {
    let expected = {
        let state = amocrm.lock();
        let line = state.account.channel_chats.get(&chat_id).and_then(|chat| chat.find(&message));
        let Some(line) = line else { return };
        Expected {
            content_type: line.kind.content_type(),
            size_bytes: line.media.as_ref().map(|media| media.file_size).filter(|size| *size > 0),
        }
    };
    let outcome = get(&amocrm, &url, &expected).await;
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    let state = &mut *state;
    for (code, text) in outcome.complaints {
        state.amojo.complaints.add(now_ms, &channel, Some(&message), code, text);
    }
    let id = state.account.uuid();
    let line = state.account.channel_chats.get_mut(&chat_id).and_then(|chat| chat.find_mut(&message));
    let Some(media) = line.and_then(|line| line.media.as_mut()) else { return };
    // Edited meanwhile: this is the file of before.
    if media.fetched.as_ref().is_none_or(|fetched| fetched.url != url) {
        return;
    }
    if let Some(size) = outcome.fetched.size_bytes {
        media.file_size = size;
    }
    if outcome.fetched.state == FetchState::Fetched {
        let name = if media.file_name.is_empty() { "file" } else { &media.file_name };
        media.link = crate::amocrm::attachments::link(amocrm.url(), &id, name);
        if let Some(bytes) = outcome.bytes {
            let content_type = outcome.fetched.content_type.clone().unwrap_or_default();
            state.attachments.keep(id, Stored::plain(bytes, &content_type));
        }
    }
    media.fetched = Some(outcome.fetched);
}

/// Fetches a person's picture.
pub(crate) async fn avatar(amocrm: AmoCrm, channel: String, person: String, url: String) {
    let expected = Expected { content_type: Kind::Picture.content_type(), size_bytes: None };
    let outcome = get(&amocrm, &url, &expected).await;
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    for (code, text) in outcome.complaints {
        state.amojo.complaints.add(now_ms, &channel, None, code, format!("avatar: {text}"));
    }
    if let Some(person) = state.account.persons.get_mut(&person)
        && person.avatar.as_ref().is_some_and(|avatar| avatar.url == url)
    {
        person.avatar = Some(outcome.fetched);
    }
}

async fn get(amocrm: &AmoCrm, url: &str, expected: &Expected) -> Outcome {
    let mut fetched = Fetched::waiting(url.to_owned());
    let mut complaints = Vec::new();
    let bytes = match tokio::time::timeout(
        PATIENCE,
        read(amocrm, url, expected, &mut fetched, &mut complaints),
    )
    .await
    {
        Ok(bytes) => bytes,
        Err(_elapsed) => {
            complaints.push(("media_slow", format!("the file was not there after {} s", PATIENCE.as_secs())));
            None
        }
    };
    // A wrong type is stored all the same; without bytes there is nothing to store.
    let failed = fetched.size_bytes.is_none_or(|size| size == 0);
    fetched.state = if failed { FetchState::Failed } else { FetchState::Fetched };
    if failed {
        fetched.error = complaints.last().map(|(_, text)| text.clone());
    }
    Outcome { fetched, bytes, complaints }
}

/// Reads the whole answer; `fetched.size_bytes` is only set when it ended well.
async fn read(
    amocrm: &AmoCrm,
    url: &str,
    expected: &Expected,
    fetched: &mut Fetched,
    complaints: &mut Vec<(&'static str, String)>,
) -> Option<Bytes> {
    let answer = match amocrm.http().get(url).header(header::USER_AGENT, USER_AGENT).send().await {
        Ok(answer) => answer,
        Err(error) => {
            complaints.push(("media_unreachable", in_words(&error.without_url())));
            return None;
        }
    };
    let status = answer.status();
    fetched.status = Some(status.as_u16());
    if status.is_redirection() {
        complaints.push(("media_redirect", format!("{status}: amoCRM is not known to follow redirects")));
        return None;
    }
    if status.as_u16() != 200 {
        complaints.push(("media_status", format!("{status} instead of 200")));
        return None;
    }
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    fetched.content_type = text(header::CONTENT_TYPE);
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    match (&fetched.content_type, expected.content_type) {
        (None, _) => complaints.push(("media_no_type", "no Content-Type".to_owned())),
        (Some(is), Some(must)) if !is.starts_with(must) => {
            complaints.push(("media_wrong_type", format!("Content-Type {is} instead of {must}…")));
        }
        (Some(_), _) => {}
    }
    if length.is_none() {
        complaints.push(("media_no_length", "no Content-Length".to_owned()));
    }
    let (mut hasher, mut size, mut kept) = (Sha256::new(), 0_u64, BytesMut::new());
    let mut stream = answer.bytes_stream();
    while let Some(part) = stream.next().await {
        match part {
            Ok(part) => {
                hasher.update(&part);
                size += part.len() as u64;
                if kept.len() + part.len() <= KEPT_BYTES {
                    kept.extend_from_slice(&part);
                }
            }
            Err(error) => {
                let words = in_words(&error.without_url());
                complaints.push(("media_broken", format!("broken off after {size} bytes: {words}")));
                return None;
            }
        }
    }
    if size == 0 {
        complaints.push(("media_empty", "the file is empty".to_owned()));
    }
    if let Some(claimed) = expected.size_bytes.filter(|claimed| *claimed != size) {
        complaints.push(("media_size", format!("{size} bytes, but file_size said {claimed}")));
    }
    fetched.size_bytes = Some(size);
    fetched.sha256 = Some(hex(&hasher.finalize()));
    (kept.len() as u64 == size).then(|| kept.freeze())
}

#[cfg(test)]
mod tests {
    use super::has_token;

    #[test]
    fn a_token_in_an_address_is_seen_in_every_spelling() {
        let token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";
        assert!(has_token(&format!("https://api.telegram.org/file/bot{token}/photos/1.jpg")));
        assert!(has_token(&format!("https://bridge.example/f?t={}", token.replace(':', "%3A"))));
        assert!(!has_token("http://127.0.0.1:9080/media/AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0AAHdq"));
        assert!(!has_token("https://bridge.example/media/tg:777:1001:43/photo.jpg"));
    }
}
