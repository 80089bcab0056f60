//! Reactions, votes and payments.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::State;
use super::super::queries::{InvoiceRef, Question};
use super::{ActError, Actor};

/// A payment on its way: the outcome comes here.
#[derive(Debug)]
pub(crate) struct Paying {
    pub(crate) query_id: String,
    pub(crate) outcome: oneshot::Receiver<Value>,
}

impl State {
    /// Puts reactions on a message, in place of those before; none takes them away.
    pub(crate) fn act_react(
        &mut self,
        actor: Actor,
        message_id: i64,
        emojis: &[String],
    ) -> Result<(), ActError> {
        let reactions: Vec<Value> =
            emojis.iter().map(|emoji| json!({"type": "emoji", "emoji": emoji})).collect();
        if self.react(actor.chat, message_id, actor.user, &reactions) {
            Ok(())
        } else {
            Err(ActError::no_message(message_id))
        }
    }

    /// Votes in a poll; no options retract the vote.
    pub(crate) fn act_vote(
        &mut self,
        actor: Actor,
        message_id: i64,
        options: &[usize],
    ) -> Result<(), ActError> {
        let now = self.clock.now_ms();
        let id = self
            .chats
            .get(&actor.chat)
            .and_then(|chat| chat.find_message(message_id))
            .ok_or_else(|| ActError::no_message(message_id))?
            .content
            .poll
            .clone();
        let poll = id.and_then(|id| self.polls.get_mut(&id)).ok_or_else(|| {
            ActError::impossible(format!("message {message_id} is no poll"), "the message of a poll")
        })?;
        if poll.closed_at(now) {
            return Err(ActError::impossible("the poll is closed", "an open poll"));
        }
        let quiz = poll.fields.get("type").is_some_and(|kind| kind == "quiz");
        if quiz && poll.votes.contains_key(&actor.user) {
            return Err(ActError::impossible("a vote in a quiz is final", "a user who has not voted"));
        }
        if options.iter().any(|option| *option >= poll.options.len()) {
            let expected = format!("options 0 to {}", poll.options.len().saturating_sub(1));
            return Err(ActError::impossible("the poll has no such option", expected));
        }
        if options.len() > 1 && !poll.allows_multiple_answers {
            return Err(ActError::impossible("the poll takes one answer", "one option"));
        }
        if options.is_empty() {
            poll.votes.remove(&actor.user);
        } else {
            poll.votes.insert(actor.user, options.to_vec());
        }
        let (owner, state, anonymous, poll_id) =
            (poll.owner, poll.to_json(now), poll.is_anonymous, poll.id.clone());
        self.push(owner, "poll", &state);
        if !anonymous {
            let persistent: Vec<String> = options.iter().map(usize::to_string).collect();
            let answer = json!({
                "poll_id": poll_id,
                "user": self.user_json(actor.user),
                "option_ids": options,
                "option_persistent_ids": persistent,
            });
            self.push(owner, "poll_answer", &answer);
        }
        Ok(())
    }

    /// Pays an invoice: asks the bot for a delivery if the invoice is flexible, then whether all is well.
    pub(crate) fn act_pay(&mut self, actor: Actor, message_id: i64) -> Result<Paying, ActError> {
        let message = self
            .chats
            .get(&actor.chat)
            .and_then(|chat| chat.find_message(message_id))
            .ok_or_else(|| ActError::no_message(message_id))?;
        if !message.content.fields.contains_key("invoice") {
            return Err(ActError::impossible(
                format!("message {message_id} is no invoice"),
                "the message of an invoice",
            ));
        }
        let bot = message.sender;
        let hidden = message.hidden.clone();
        let invoice = InvoiceRef { chat: actor.chat, message_id };
        let (sender, outcome) = oneshot::channel();
        let query_id = if hidden.get("is_flexible").is_some() {
            let id = self.new_id();
            let query = json!({
                "id": id,
                "from": self.user_json(actor.user),
                "invoice_payload": hidden.get("payload"),
                "shipping_address": shipping_address(),
            });
            let now = self.clock.now_ms();
            self.queries.ask_for(bot, id.clone(), actor.user, Question::Shipping { invoice }, now, sender);
            self.push(bot, "shipping_query", &query);
            id
        } else {
            self.ask_checkout(bot, actor.user, invoice, None, 0, sender)
        };
        Ok(Paying { query_id, outcome })
    }

    /// Asks the bot to confirm the order; gives the query's id.
    pub(crate) fn ask_checkout(
        &mut self,
        bot: i64,
        user: i64,
        invoice: InvoiceRef,
        shipping_option: Option<&str>,
        shipping_cost: i64,
        outcome: oneshot::Sender<Value>,
    ) -> String {
        let id = self.new_id();
        let order = self.order(user, invoice, shipping_option, shipping_cost);
        let mut query = json!({"id": id, "from": self.user_json(user)});
        if let (Some(query), Some(order)) = (query.as_object_mut(), order.as_object()) {
            query.extend(order.clone());
        }
        let now = self.clock.now_ms();
        if let Some(message) =
            self.chats.get_mut(&invoice.chat).and_then(|chat| chat.find_message_mut(invoice.message_id))
        {
            message.hidden.insert("order".into(), order);
        }
        self.queries.ask_for(bot, id.clone(), user, Question::Checkout { invoice }, now, outcome);
        self.push(bot, "pre_checkout_query", &query);
        id
    }

    /// The fields that a checkout and a payment share.
    fn order(&self, user: i64, invoice: InvoiceRef, shipping_option: Option<&str>, cost: i64) -> Value {
        let message = self.chats.get(&invoice.chat).and_then(|chat| chat.find_message(invoice.message_id));
        let Some(message) = message else { return json!({}) };
        let field = |name: &str| message.content.fields.get("invoice").and_then(|invoice| invoice.get(name));
        let total = field("total_amount").and_then(Value::as_i64).unwrap_or_default() + cost;
        let mut order = json!({
            "currency": field("currency"),
            "total_amount": total,
            "invoice_payload": message.hidden.get("payload"),
        });
        if let Some(option) = shipping_option {
            order["shipping_option_id"] = json!(option);
        }
        let wants = |name: &str| message.hidden.contains_key(name);
        let account = self.users.get(&user);
        let mut info = serde_json::Map::new();
        if wants("need_name") {
            info.insert("name".into(), json!(account.map(|account| account.first_name.clone())));
        }
        if wants("need_phone_number") {
            let phone = account.and_then(|account| account.phone.clone());
            info.insert("phone_number".into(), json!(phone.unwrap_or_else(|| "+70000000000".to_owned())));
        }
        if wants("need_email") {
            info.insert("email".into(), json!("client@example.com"));
        }
        if wants("need_shipping_address") {
            info.insert("shipping_address".into(), shipping_address());
        }
        if !info.is_empty() {
            order["order_info"] = Value::Object(info);
        }
        order
    }
}

fn shipping_address() -> Value {
    json!({
        "country_code": "RU",
        "state": "",
        "city": "Moscow",
        "street_line1": "Tverskaya 1",
        "street_line2": "",
        "post_code": "125009",
    })
}
