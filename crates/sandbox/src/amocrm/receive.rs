//! The hook: takes Telegram's deliveries, or fails as told.
//!
//! Everything is recorded as it came, then the update is shown, then Telegram is answered; downloads, hooks and
//! the Salesbot follow on their own. Anybody who knows the address is let in, as with the real one (reference
//! 7.1): a relay's copies are as good as Telegram's.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::bot_api::{BotApi, in_words};
use super::cards::Author;
use super::connection::{Connection, Route};
use super::door::Kill;
use super::fault::Fault;
use super::inbound::{Content, Seen};
use super::outgoing::Saying;
use super::raw::{Delivery, Outcome};
use super::salesbot::Flow;
use super::take::{Scene, Taken};
use super::{AmoCrm, State, attachments};

/// Any request that is none of the fixed routes: a hook's address can be any path.
pub(crate) async fn hook(
    Shared(amocrm): Shared<AmoCrm>,
    Extension(kill): Extension<Kill>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if method != Method::POST {
        return StatusCode::NOT_FOUND.into_response();
    }
    let now_ms = amocrm.clock().now_ms();
    let update = serde_json::from_slice::<Value>(&body).ok().and_then(|update| Seen::read(&update));
    let fault = {
        let mut state = amocrm.lock();
        let bot_id = state.find_bot(&uri);
        let (outcome, fault) = match (bot_id, &update) {
            (None, _) => (Outcome::UnknownAddress, None),
            (Some(_), None) => (Outcome::NotAnUpdate, None),
            (Some(bot_id), Some(seen)) => amocrm.decide(&mut state, bot_id, seen, &body, now_ms),
        };
        state.raw.add(Delivery {
            n: 0,
            at_ms: now_ms,
            bot_id,
            address: uri.to_string(),
            headers: headers
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body,
            update_id: update.map(|seen| seen.update_id),
            outcome,
            fault: fault.clone(),
        });
        match outcome {
            Outcome::UnknownAddress => return StatusCode::NOT_FOUND.into_response(),
            Outcome::NotAnUpdate => return StatusCode::BAD_REQUEST.into_response(),
            Outcome::Taken | Outcome::Repeat | Outcome::Fault => fault,
        }
    };
    match fault {
        None => StatusCode::OK.into_response(),
        Some(fault) => answer_badly(&amocrm, kill, fault).await,
    }
}

async fn answer_badly(amocrm: &AmoCrm, kill: Kill, fault: Fault) -> Response {
    match fault {
        Fault::Status { code, body, retry_after, .. } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            super::with_retry_after((status, body.unwrap_or_default()).into_response(), retry_after)
        }
        Fault::Silence { .. } => std::future::pending().await,
        Fault::Reset { .. } => match kill.now().await {},
        Fault::Slow { ms } => {
            amocrm.clock().sleep(Duration::from_millis(ms)).await;
            StatusCode::OK.into_response()
        }
    }
}

impl State {
    /// Which bot a hook's address belongs to.
    fn find_bot(&self, uri: &Uri) -> Option<i64> {
        let route = Route::of(uri.path(), uri.query())?;
        if let Some(bot_id) = self.routes.get(&route) {
            return Some(*bot_id);
        }
        // The account's own number names its bot as long as there is only one.
        let Route::Path(path) = route else { return None };
        let number: u64 = path.strip_prefix("/webhook/")?.parse().ok()?;
        let mut bots = self.connections.values().filter(|connection| connection.connected);
        match (bots.next(), bots.next()) {
            (Some(only), None) if number == self.account.id => Some(only.bot_id),
            _ => None,
        }
    }
}

impl AmoCrm {
    /// Shows the update unless a fault keeps it out.
    fn decide(
        &self,
        state: &mut State,
        bot_id: i64,
        seen: &Seen,
        body: &[u8],
        now_ms: i64,
    ) -> (Outcome, Option<Fault>) {
        let State { account, connections, faults, .. } = state;
        let Some(connection) = connections.get_mut(&bot_id) else { return (Outcome::UnknownAddress, None) };
        let strikes = |percent| account.happens(percent);
        let fault = connection.faults.next(now_ms, strikes).or_else(|| faults.next(now_ms, strikes));
        let kept = match &fault {
            None | Some(Fault::Slow { .. }) => true,
            Some(Fault::Status { taken, .. } | Fault::Silence { taken } | Fault::Reset { taken }) => *taken,
        };
        if !kept {
            connection.deliveries.refused += 1;
            return (Outcome::Fault, fault);
        }
        let repeat = connection.deliveries.count(seen.update_id, body, now_ms);
        let scene = Scene { connection, base_url: self.url(), now_ms, repeat };
        let taken = account.take(&scene, seen);
        let api = self.bot_api(connection);
        if !repeat {
            self.follow_up(connection, &api, seen, &taken);
        }
        if let (Some(chat_id), Some(message_id), Some(file)) =
            (taken.chat_id, taken.message_id, taken.download)
        {
            self.spawn(attachments::fetch(self.clone(), api, chat_id, message_id, file));
        }
        self.announce(state, taken.hooks);
        (if repeat { Outcome::Repeat } else { Outcome::Taken }, fault)
    }

    /// Lets the Salesbot answer.
    fn follow_up(&self, connection: &Connection, api: &BotApi, seen: &Seen, taken: &Taken) {
        let (Some(flow), Some(chat_id)) = (connection.salesbot.clone(), taken.chat_id.clone()) else {
            return;
        };
        match &seen.content {
            Content::Message(message) if flow.starts(message.text.as_deref(), taken.first_contact) => {
                let keyboard = Some(flow.keyboard());
                self.spawn(ask(self.clone(), chat_id, saying(flow.question, keyboard)));
            }
            Content::Press { callback_id, data } => {
                self.spawn(answer_press(
                    self.clone(),
                    api.clone(),
                    flow,
                    chat_id,
                    callback_id.clone(),
                    data.clone(),
                ));
            }
            _ => {}
        }
    }
}

async fn ask(amocrm: AmoCrm, chat_id: String, saying: Saying) {
    // What became of it is shown on the message itself.
    let _shown = amocrm.say(&chat_id, saying).await;
}

async fn answer_press(
    amocrm: AmoCrm,
    api: BotApi,
    flow: Flow,
    chat_id: String,
    callback_id: String,
    data: String,
) {
    let Some(answer) = flow.answer(&data) else { return };
    if let Err(error) = api.call("answerCallbackQuery", &json!({"callback_query_id": callback_id})).await {
        tracing::debug!(error = %in_words(&error), "a press could not be answered");
    }
    ask(amocrm, chat_id, saying(answer.to_owned(), None)).await;
}

fn saying(text: String, keyboard: Option<Value>) -> Saying {
    Saying {
        author: Author::Salesbot,
        author_name: "Salesbot".to_owned(),
        text: Some(text),
        media: None,
        keyboard,
        reply_to: None,
    }
}
