//! What the account is asked about itself, its users and sources, and about whose a chat is.

use std::collections::{HashMap, HashSet};

use http::Method;
use serde::de::DeserializeOwned;

use super::{NotHad, Priority, Rest};
use crate::{
    response::Answer,
    wire::rest::{
        AccountInfo, ChatLinks, NewChatLink, NewNote, NewSource, NoteText, Page, SourceChange, SourceInfo,
        Sources, User, Users,
    },
};

/// Pages of users that are read: names are a kindness, not a need.
const USER_PAGES: usize = 8;

/// What became of linking a chat to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linked {
    /// It belongs to this contact, which may be another one than was wished: then it did before (4.5).
    To(u64),
    /// There is no such contact.
    NoContact,
    /// The chat is none that this integration may put into a card: its channel does not name it (3, 4.5).
    NoChat,
}

impl Rest {
    /// The account (4.2).
    pub(crate) async fn account(&self) -> Result<AccountInfo, NotHad> {
        let answer = self.get("/api/v4/account", Some("with=amojo_id,drive_url"), Priority::Reply).await?;
        read(&answer, "itself")?.ok_or_else(|| NotHad::unreadable("itself"))
    }

    /// Names of users by their ids at the chat service (4.3). Only an administrator's token has them.
    pub(crate) async fn manager_names(&self) -> Result<HashMap<String, String>, NotHad> {
        let users = self.users().await?.into_iter().filter(|user| !user.name.is_empty());
        Ok(users.filter_map(|user| Some((user.amojo_id?, user.name))).collect())
    }

    /// The numbers of all users.
    pub(crate) async fn user_ids(&self) -> Result<HashSet<u64>, NotHad> {
        Ok(self.users().await?.into_iter().map(|user| user.id).collect())
    }

    async fn users(&self) -> Result<Vec<User>, NotHad> {
        let mut users = Vec::new();
        for page in 1..=USER_PAGES {
            let query = format!("with=amojo_id&limit=250&page={page}");
            let answer = self.get("/api/v4/users", Some(&query), Priority::Background).await?;
            let Some(page) = read::<Page<Users>>(&answer, "users")? else { break };
            users.extend(page.embedded.users);
            if page.links.next.is_none() {
                break;
            }
        }
        Ok(users)
    }

    /// The integration's sources (4.8).
    pub(crate) async fn sources(&self) -> Result<Vec<SourceInfo>, NotHad> {
        let answer = self.get("/api/v4/sources", None, Priority::Background).await?;
        let page = read::<Page<Sources>>(&answer, "sources")?;
        Ok(page.map(|page| page.embedded.sources).unwrap_or_default())
    }

    /// To which contact a chat belongs (4.5).
    pub(crate) async fn contact_of(&self, chat: &str, priority: Priority) -> Result<Option<u64>, NotHad> {
        let query = format!("chat_id%5B%5D={chat}");
        let answer = self.get("/api/v4/contacts/chats", Some(&query), priority).await?;
        let page = read::<Page<ChatLinks>>(&answer, "a chat's contact")?;
        Ok(page.and_then(|page| page.embedded.chats.first().map(|link| link.contact_id)))
    }

    /// Makes a chat belong to a contact (4.5).
    pub(crate) async fn link(&self, chat: &str, contact_id: u64) -> Result<Linked, NotHad> {
        let link = [NewChatLink { contact_id, chat_id: chat }];
        match self.post("/api/v4/contacts/chats", &link, Priority::Background).await {
            Ok(_) => Ok(Linked::To(contact_id)),
            Err(NotHad { belongs_to: Some(other), .. }) => Ok(Linked::To(other)),
            Err(NotHad { missing: Some(path), .. }) if path.ends_with("chat_id") => Ok(Linked::NoChat),
            Err(NotHad { status: Some(400 | 404 | 422), .. }) => Ok(Linked::NoContact),
            Err(not_had) => Err(not_had),
        }
    }

    /// Makes a source (4.8).
    pub(crate) async fn make_source(&self, source: &NewSource<'_>) -> Result<(), NotHad> {
        self.post("/api/v4/sources", &[source], Priority::Background).await.map(drop)
    }

    /// Has a source lead into another pipeline.
    pub(crate) async fn move_source(&self, id: u64, pipeline_id: u64) -> Result<(), NotHad> {
        let change = SourceChange { pipeline_id };
        let path = format!("/api/v4/sources/{id}");
        self.send(Method::PATCH, &path, &change, Priority::Background).await.map(drop)
    }

    /// Writes a note onto a contact's card (4.10).
    pub(crate) async fn note(&self, contact_id: u64, text: &str, priority: Priority) -> Result<(), NotHad> {
        let note = [NewNote { note_type: "common", params: NoteText { text } }];
        self.post(&format!("/api/v4/contacts/{contact_id}/notes"), &note, priority).await.map(drop)
    }
}

/// An answer's object; `None` for what is empty, which has no body (4.1).
pub(super) fn read<T: DeserializeOwned>(answer: &Answer, what: &str) -> Result<Option<T>, NotHad> {
    if answer.status == 204 || answer.body.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&answer.body).map(Some).map_err(|_unreadable| NotHad::unreadable(what))
}
