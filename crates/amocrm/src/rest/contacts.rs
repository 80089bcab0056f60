//! Contacts and the fields of cards (4.4).

use http::Method;

use super::{NotHad, Priority, Rest, calls::read};
use crate::wire::{
    people::{ContactChange, ContactInfo, Contacts, FieldInfo, Fields, MadeContacts, NewField},
    rest::Page,
};

/// Pages of hits that are read: what is looked for has ten digits, and hardly anybody else has them.
const HIT_PAGES: usize = 4;
/// Pages of fields.
const FIELD_PAGES: usize = 8;

/// Whose fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Card {
    Contacts,
    Leads,
}

impl Card {
    const fn path(self) -> &'static str {
        match self {
            Self::Contacts => "/api/v4/contacts/custom_fields",
            Self::Leads => "/api/v4/leads/custom_fields",
        }
    }
}

impl Rest {
    /// Contacts that search finds by these digits. Whatever has them somewhere: each hit has to be looked at.
    pub(crate) async fn find_contacts(&self, digits: &str) -> Result<Vec<ContactInfo>, NotHad> {
        self.contacts(&format!("query={digits}&with=leads&limit=250"), HIT_PAGES).await
    }

    /// The newest contacts, which a list shows when search may not yet.
    pub(crate) async fn newest_contacts(&self) -> Result<Vec<ContactInfo>, NotHad> {
        self.contacts("order%5Bid%5D=desc&with=leads&limit=250", 1).await
    }

    async fn contacts(&self, query: &str, pages: usize) -> Result<Vec<ContactInfo>, NotHad> {
        let mut found = Vec::new();
        for page in 1..=pages {
            let query = format!("{query}&page={page}");
            let answer = self.get("/api/v4/contacts", Some(&query), Priority::Background).await?;
            let Some(page) = read::<Page<Contacts>>(&answer, "contacts")? else { break };
            found.extend(page.embedded.contacts.into_iter().filter(|contact| !contact.is_deleted));
            if page.links.next.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// A contact with the numbers of its leads; `None` where there is none (any more).
    pub(crate) async fn contact(&self, id: u64) -> Result<Option<ContactInfo>, NotHad> {
        let path = format!("/api/v4/contacts/{id}");
        match self.get(&path, Some("with=leads"), Priority::Background).await {
            Ok(answer) => {
                Ok(read::<ContactInfo>(&answer, "a contact")?.filter(|contact| !contact.is_deleted))
            }
            Err(NotHad { status: Some(404), .. }) => Ok(None),
            Err(not_had) => Err(not_had),
        }
    }

    /// Makes a contact.
    pub(crate) async fn make_contact(&self, contact: &ContactChange) -> Result<u64, NotHad> {
        let answer = self.post("/api/v4/contacts", &[contact], Priority::Background).await?;
        let made = read::<Page<MadeContacts>>(&answer, "a new contact")?;
        let id = made.and_then(|page| page.embedded.contacts.first().map(|contact| contact.id));
        id.ok_or_else(|| NotHad::unreadable("a new contact"))
    }

    /// Changes a contact.
    pub(crate) async fn change_contact(&self, id: u64, change: &ContactChange) -> Result<(), NotHad> {
        let path = format!("/api/v4/contacts/{id}");
        self.send(Method::PATCH, &path, change, Priority::Background).await.map(drop)
    }

    /// The fields of cards.
    pub(crate) async fn fields(&self, card: Card) -> Result<Vec<FieldInfo>, NotHad> {
        let mut fields = Vec::new();
        for page in 1..=FIELD_PAGES {
            let query = format!("limit=250&page={page}");
            let answer = self.get(card.path(), Some(&query), Priority::Background).await?;
            let Some(page) = read::<Page<Fields>>(&answer, "fields")? else { break };
            fields.extend(page.embedded.custom_fields);
            if page.links.next.is_none() {
                break;
            }
        }
        Ok(fields)
    }

    /// Makes a field of contacts. Only an administrator's token can.
    pub(crate) async fn make_field(&self, field: &NewField<'_>) -> Result<FieldInfo, NotHad> {
        let answer = self.post(Card::Contacts.path(), &[field], Priority::Background).await?;
        let made = read::<Page<Fields>>(&answer, "a new field")?;
        let made = made.and_then(|page| page.embedded.custom_fields.into_iter().next());
        made.ok_or_else(|| NotHad::unreadable("a new field"))
    }
}
