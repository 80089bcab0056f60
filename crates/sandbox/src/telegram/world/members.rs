//! Joining, leaving, blocking: changes of who is in a chat, and the updates they make.

use serde_json::{Value, json};

use super::State;
use super::chat::{ChatKey, ChatKind, Member, Status};
use super::message::Author;

impl State {
    /// Gives an account a new standing in a group, in the name of `actor`, and tells the bots: the bot itself
    /// by `my_chat_member`, administrators by `chat_member`.
    pub(crate) fn set_member(&mut self, key: ChatKey, account: i64, actor: i64, member: Member) {
        let Some(chat) = self.chats.get(&key) else { return };
        let before = chat.members.get(&account).cloned().unwrap_or_else(|| Member::new(Status::Left));
        let told_before = chat.members.clone();
        let date = self.clock.now_secs();
        let user = self.user_json(account);
        let event = json!({
            "chat": self.chat_json(key),
            "from": self.user_json(actor),
            "date": date,
            "old_chat_member": before.to_json(user.clone(), false),
            "new_chat_member": member.to_json(user, false),
        });
        if let Some(chat) = self.chats.get_mut(&key) {
            chat.members.insert(account, member);
        }
        for (id, other) in &told_before {
            if *id != account && other.status.is_admin() && self.bots.contains_key(id) {
                self.push(*id, "chat_member", &event);
            }
        }
        if self.bots.contains_key(&account) {
            self.push(account, "my_chat_member", &event);
        }
    }

    /// An account enters a group; groups show it by a service message, channels do not.
    pub(crate) fn join(&mut self, key: ChatKey, account: i64, actor: i64, status: Status) {
        self.set_member(key, account, actor, Member::new(status));
        if self.chats.get(&key).is_some_and(|chat| chat.kind != ChatKind::Channel) {
            let user = self.user_json(account);
            self.post_service(key, actor, "new_chat_members", json!([user]));
        }
    }

    /// An account leaves or is removed; the bot itself still gets the service message about it.
    pub(crate) fn leave(&mut self, key: ChatKey, account: i64, actor: i64, status: Status) {
        if self.chats.get(&key).is_some_and(|chat| chat.kind != ChatKind::Channel) {
            let user = self.user_json(account);
            self.post_service(key, actor, "left_chat_member", user);
        }
        self.set_member(key, account, actor, Member::new(status));
    }

    /// A person blocks or unblocks a bot: `my_chat_member` in the private chat.
    pub(crate) fn set_blocked(&mut self, bot: i64, user: i64, blocked: bool) {
        let key = self.open_private(bot, user);
        let Some(chat) = self.chats.get_mut(&key) else { return };
        if chat.blocked == blocked {
            return;
        }
        chat.blocked = blocked;
        let side = |status: Status| Member::new(status).to_json(self.user_json(bot), false);
        let (old, new) =
            if blocked { (Status::Member, Status::Kicked) } else { (Status::Kicked, Status::Member) };
        let event = json!({
            "chat": self.chat_json(key),
            "from": self.user_json(user),
            "date": self.clock.now_secs(),
            "old_chat_member": side(old),
            "new_chat_member": side(new),
        });
        self.push(bot, "my_chat_member", &event);
    }

    /// A basic group becomes a supergroup: a new chat with the same people, and a service message in each.
    pub(crate) fn upgrade_group(&mut self, key: ChatKey) -> Option<ChatKey> {
        let old =
            self.chats.get(&key).filter(|chat| chat.kind == ChatKind::Group && chat.migrated_to.is_none())?;
        let (title, members) = (old.title.clone(), old.members.clone());
        let actor = members
            .iter()
            .find(|(_, member)| member.status == Status::Creator)
            .or_else(|| members.iter().next())
            .map(|(id, _)| *id)?;
        let new = self.add_group(ChatKind::Supergroup, title);
        if let Some(chat) = self.chats.get_mut(&new) {
            chat.members = members;
        }
        self.post_service(key, actor, "migrate_to_chat_id", json!(new.id()));
        if let Some(chat) = self.chats.get_mut(&key) {
            chat.migrated_to = Some(new.id());
        }
        self.post_service(new, actor, "migrate_from_chat_id", json!(key.id()));
        Some(new)
    }

    /// Sets an account's reactions to a message and tells the bots that asked for it (`message_reaction`; in
    /// groups administrators only). Gives false when the message is gone.
    pub(crate) fn react(&mut self, key: ChatKey, message_id: i64, account: i64, reactions: &[Value]) -> bool {
        let now = self.clock.now_secs();
        let Some(message) = self.chats.get_mut(&key).and_then(|chat| chat.find_message_mut(message_id))
        else {
            return false;
        };
        let old = message.reactions.get(&account).cloned().unwrap_or_default();
        if reactions.is_empty() {
            message.reactions.remove(&account);
        } else {
            message.reactions.insert(account, reactions.to_vec());
        }
        let by_bot = self.bots.contains_key(&account);
        let Some(chat) = self.chats.get(&key).filter(|_| !by_bot && old != reactions) else { return true };
        let event = json!({
            "chat": self.chat_json(key),
            "message_id": message_id,
            "user": self.user_json(account),
            "date": now,
            "old_reaction": old,
            "new_reaction": reactions,
        });
        for bot in self.bots_in(chat) {
            if chat.kind == ChatKind::Private || chat.status(bot).is_admin() {
                self.push(bot, "message_reaction", &event);
            }
        }
        true
    }

    /// Whether the account is in the chat at all.
    pub(crate) fn is_in(&self, key: ChatKey, account: i64) -> bool {
        match key {
            ChatKey::Private { bot, user } => account == bot || account == user,
            ChatKey::Group(_) => self.chats.get(&key).is_some_and(|chat| chat.status(account).is_inside()),
        }
    }

    /// In whose name an account's messages stand in the chat.
    pub(crate) fn author_in(&self, key: ChatKey, account: i64) -> Author {
        match self.chats.get(&key) {
            Some(chat) if chat.kind == ChatKind::Channel => Author::Chat,
            _ => Author::Account(account),
        }
    }
}
