//! Leads, incoming ones among them, their pipelines, and talks (4.6, 4.7, 4.11).

use http::Method;
use serde_json::{Value, json};

use super::{NotHad, Priority, Rest, calls::read};
use crate::{
    people::Pipelines,
    wire::{
        people::{LeadChange, LeadInfo, Numbered, PipelineList, TalkInfo, Talks, UnsortedList},
        rest::Page,
    },
};

/// Pages of incoming leads that are read, the newest first.
const UNSORTED_PAGES: usize = 4;

#[derive(Debug, serde::Deserialize)]
struct MadeLeads {
    leads: Vec<Numbered>,
}

impl Rest {
    /// A lead; `None` where there is none (any more).
    pub(crate) async fn lead(&self, id: u64) -> Result<Option<LeadInfo>, NotHad> {
        match self.get(&format!("/api/v4/leads/{id}"), None, Priority::Background).await {
            Ok(answer) => read(&answer, "a lead"),
            Err(NotHad { status: Some(404), .. }) => Ok(None),
            Err(not_had) => Err(not_had),
        }
    }

    /// Makes a lead.
    pub(crate) async fn make_lead(&self, lead: &LeadChange) -> Result<u64, NotHad> {
        let answer = self.post("/api/v4/leads", &[lead], Priority::Background).await?;
        let made = read::<Page<MadeLeads>>(&answer, "a new lead")?;
        let id = made.and_then(|page| page.embedded.leads.first().map(|lead| lead.id));
        id.ok_or_else(|| NotHad::unreadable("a new lead"))
    }

    /// Changes a lead.
    pub(crate) async fn change_lead(&self, id: u64, change: &LeadChange) -> Result<(), NotHad> {
        let path = format!("/api/v4/leads/{id}");
        self.send(Method::PATCH, &path, change, Priority::Background).await.map(drop)
    }

    /// The account's pipelines with their stages.
    pub(crate) async fn pipelines(&self) -> Result<Pipelines, NotHad> {
        let answer = self.get("/api/v4/leads/pipelines", None, Priority::Background).await?;
        let page = read::<Page<PipelineList>>(&answer, "pipelines")?;
        Ok(Pipelines::new(page.map(|page| page.embedded.pipelines).unwrap_or_default()))
    }

    /// The incoming lead that a chat made, while nobody has accepted it.
    pub(crate) async fn unsorted_of(&self, chat: &str) -> Result<Option<String>, NotHad> {
        for page in 1..=UNSORTED_PAGES {
            let query =
                format!("filter%5Bcategory%5D%5B%5D=chats&order%5Bcreated_at%5D=desc&limit=250&page={page}");
            let answer = self.get("/api/v4/leads/unsorted", Some(&query), Priority::Background).await?;
            let Some(page) = read::<Page<UnsortedList>>(&answer, "incoming leads")? else { break };
            let found = page.embedded.unsorted.into_iter().find(|unsorted| {
                unsorted.metadata.origin.as_ref().and_then(|origin| origin.chat_id.as_deref()) == Some(chat)
            });
            if let Some(found) = found {
                return Ok(Some(found.uid)
                    .filter(|uid| uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')));
            }
            if page.links.next.is_none() {
                break;
            }
        }
        Ok(None)
    }

    /// Accepts an incoming lead.
    pub(crate) async fn accept_unsorted(
        &self,
        uid: &str,
        stage: Option<u64>,
        user: Option<u64>,
    ) -> Result<(), NotHad> {
        let mut wish = serde_json::Map::new();
        wish.extend(stage.map(|stage| ("status_id".to_owned(), Value::from(stage))));
        wish.extend(user.map(|user| ("user_id".to_owned(), Value::from(user))));
        let path = format!("/api/v4/leads/unsorted/{uid}/accept");
        self.post(&path, &wish, Priority::Background).await.map(drop)
    }

    /// Has the chat of an incoming lead go on in this contact's lead.
    pub(crate) async fn link_unsorted(&self, uid: &str, lead: u64, contact: u64) -> Result<(), NotHad> {
        let link = json!({"entity_id": lead, "entity_type": "leads", "metadata": {"contact_id": contact}});
        let path = format!("/api/v4/leads/unsorted/{uid}/link");
        self.post(&path, &json!({ "link": link }), Priority::Background).await.map(drop)
    }

    /// The open talks of a contact. Whether amocrm.ru has this list nobody knows; Kommo has.
    pub(crate) async fn open_talks(&self, contact: u64) -> Result<Vec<TalkInfo>, NotHad> {
        let query = format!("filter%5Bcontact_id%5D%5B%5D={contact}&filter%5Bonly_in_work%5D=1&limit=250");
        let answer = self.get("/api/v4/talks", Some(&query), Priority::Background).await?;
        let page = read::<Page<Talks>>(&answer, "talks")?;
        Ok(page.map(|page| page.embedded.talks).unwrap_or_default())
    }

    /// Closes a talk; one that is closed already is closed.
    pub(crate) async fn close_talk(&self, talk: u64) -> Result<(), NotHad> {
        let path = format!("/api/v4/talks/{talk}/close");
        match self.post(&path, &json!({"force_close": true}), Priority::Background).await {
            Ok(_) | Err(NotHad { status: Some(422), .. }) => Ok(()),
            Err(not_had) => Err(not_had),
        }
    }
}
