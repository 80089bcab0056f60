//! Events of a project, in the shape that hooks have (reference 9.2, 9.3).

use serde_json::{Value, json};

use super::Wahelp;
use super::output::ids_as_strings;
use super::state::State;
use super::switches::HookShape;

impl Wahelp {
    /// Tells a message's event to the project's subscribers; the answer is the numbers of the hooks.
    pub(crate) fn announce_message(&self, state: &mut State, action: &str, message: i64) -> Vec<u64> {
        let Some(channel) = state.messages.get(&message).map(|message| message.channel) else {
            return Vec::new();
        };
        let payload = state.shown_message(message);
        self.announce(state, channel, action, payload)
    }

    /// Tells that users came to be, when one did: there were `before` of them.
    pub(crate) fn announce_user(&self, state: &mut State, before: usize, user: i64) {
        if state.users.len() == before {
            return;
        }
        let Some(channel) = state.users.get(&user).map(|user| user.channel) else { return };
        let payload = state.shown_user(user);
        self.announce(state, channel, "channel.user.created", payload);
    }

    /// Tells an event of a channel to the subscribers of its project.
    pub(crate) fn announce(
        &self,
        state: &mut State,
        channel: i64,
        action: &str,
        mut payload: Value,
    ) -> Vec<u64> {
        if state.switches.ids_as_strings {
            ids_as_strings(&mut payload);
        }
        let body = match state.switches.hook_shape {
            HookShape::Action => json!({"action": action, "payload": payload}),
            HookShape::Event => json!({"event": action, "data": payload}),
            HookShape::Type => json!({"type": action, "data": payload}),
            HookShape::Array => json!([{"action": action, "payload": payload}]),
        }
        .to_string();
        let webhooks: Vec<(String, String)> = state
            .project_of_channel(channel)
            .into_iter()
            .flat_map(|project| project.webhooks.values())
            .filter(|webhook| webhook.brings(action))
            .map(|webhook| (webhook.uuid.clone(), webhook.url.clone()))
            .collect();
        let copies = state.switches.hook_copies;
        let mut sent = Vec::new();
        for (webhook, url) in &webhooks {
            for _ in 0..copies {
                sent.extend(self.post_hook(state, webhook, url, action, &body));
            }
        }
        sent
    }
}
