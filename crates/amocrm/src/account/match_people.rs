//! Who a client is among the account's contacts: found by the field with his Telegram id, by his phone, by the card that
//! his chat is in already, and made if nobody is found. His chat is put into his card then, and his leads are looked
//! after.
//!
//! Any request may be the last one before a crash, or lose its answer. What then is asked again finds what was made: a
//! chat by our name of it, a contact by the field, a lead by its contact.

use tandem_model::message::{Client, PersonKey};
use tandem_vendor::Opening;

use super::AmocrmAccount;
use crate::{
    people::{Candidate, Double, IdField, Learned, Phone, Starts, changes},
    rest::{Linked, NotHad, Priority, Rest},
    tell::RouteSettings,
    wire::people::{ContactChange, ContactInfo},
};

/// So many contacts with one phone are looked at; whoever has more has other troubles.
const CANDIDATES: usize = 8;

/// A client, as Telegram knows him.
#[derive(Debug, Clone)]
pub(super) struct Person<'a> {
    pub(super) user: i64,
    pub(super) name: &'a str,
    pub(super) phone: Option<Phone>,
}

/// A contact that he is.
#[derive(Debug, Clone)]
pub(super) struct Met {
    pub(super) id: u64,
    /// Its card, where it was read.
    pub(super) card: Option<ContactInfo>,
    /// It was made just now, so that it has nothing yet.
    pub(super) is_new: bool,
}

impl<'a> Person<'a> {
    /// `None` for what is no person: a group, a channel.
    pub(super) fn of(client: &'a Client) -> Option<Self> {
        let user = PersonKey::read(client.person.as_str())
            .map(tandem_model::UserId::get)
            .filter(|user| *user > 0)?;
        Some(Self { user, name: &client.name, phone: client.phone.as_deref().and_then(Phone::of_telegram) })
    }

    pub(super) fn learned(&self, field: Option<IdField>) -> Learned<'_> {
        Learned { user: field.map(|field| (self.user, field)), phone: self.phone.as_ref(), renamed: None }
    }
}

impl Met {
    fn of(card: ContactInfo) -> Self {
        Self { id: card.id, card: Some(card), is_new: false }
    }

    const fn known(id: u64) -> Self {
        Self { id, card: None, is_new: false }
    }
}

impl AmocrmAccount {
    /// Puts a chat into its client's card; which contact that is.
    pub(super) async fn settle(
        &self,
        rest: &Rest,
        opening: &Opening,
        chat: &str,
        route: &RouteSettings,
    ) -> Result<Option<u64>, NotHad> {
        let known = opening.contact.as_ref().and_then(|id| id.parse().ok());
        let Some(person) = Person::of(&opening.client) else {
            let Some(contact) = known else { return Ok(None) };
            return Ok(match rest.link(chat, contact).await? {
                Linked::To(contact) => Some(contact),
                Linked::NoContact | Linked::NoChat => None,
            });
        };
        let _turn = self.people.turn(person.user).await;
        let met = match known.or_else(|| self.people.contact(person.user)) {
            Some(contact) => Some(Met::known(contact)),
            None => self.meet(rest, &person, chat, route).await?,
        };
        let Some(met) = self.put(rest, &person, met, chat, route).await? else { return Ok(None) };
        let starts =
            Starts { payloads: &opening.starts, first: &route.start_first, latest: &route.start_latest };
        self.look_after_leads(rest, &met, route, starts).await?;
        Ok(Some(met.id))
    }

    /// Puts a chat into a contact's card. A contact that is gone (merged, deleted) is looked for once more; a chat that is
    /// in another card already stays there.
    pub(super) async fn put(
        &self,
        rest: &Rest,
        person: &Person<'_>,
        met: Option<Met>,
        chat: &str,
        route: &RouteSettings,
    ) -> Result<Option<Met>, NotHad> {
        let (mut met, mut may_look_again) = (met, true);
        while let Some(found) = met {
            match rest.link(chat, found.id).await? {
                Linked::To(id) if id == found.id => {
                    self.people.know(person.user, id);
                    return Ok(Some(found));
                }
                Linked::To(other) => {
                    let there = self.stays_with(rest, person, &found, other, route).await?;
                    self.people.know(person.user, there.id);
                    return Ok(Some(there));
                }
                Linked::NoChat => {
                    let name = &self.connection.name;
                    tracing::warn!(
                        connection.name = name,
                        "a chat cannot be put into a card in connection {name}: its channel does not name this \
                         integration"
                    );
                    self.people.know(person.user, found.id);
                    return Ok(Some(found));
                }
                Linked::NoContact => {
                    self.people.forget(person.user);
                    met = if may_look_again { self.meet(rest, person, chat, route).await? } else { None };
                    may_look_again = false;
                }
            }
        }
        Ok(None)
    }

    /// The chat is in another card than the one that was found: there it stays, and both are shown to people.
    async fn stays_with(
        &self,
        rest: &Rest,
        person: &Person<'_>,
        found: &Met,
        other: u64,
        route: &RouteSettings,
    ) -> Result<Met, NotHad> {
        let Some(card) = rest.contact(other).await? else { return Ok(Met::known(other)) };
        let there = self.enriched(rest, Met::of(card), person).await?;
        let double = Double { chosen: other, contacts: [found.id, other].into() };
        self.show_double(rest, double, route).await;
        Ok(there)
    }

    /// Who somebody is of whom nothing is known here, made if he is nobody yet. `None` where nobody is to be made.
    pub(super) async fn meet(
        &self,
        rest: &Rest,
        person: &Person<'_>,
        chat: &str,
        route: &RouteSettings,
    ) -> Result<Option<Met>, NotHad> {
        if let Some(found) = self.find_person(rest, person, route).await? {
            return Ok(Some(found));
        }
        if let Some(own) = self.contact_of_chat(rest, chat).await? {
            return self.enriched(rest, own, person).await.map(Some);
        }
        let lag = std::time::Duration::from_secs(self.connection.people.search_lag_secs);
        if self.people.is_doubtful(person.user, lag) {
            let field = self.id_field(rest).await?;
            let is_he = |card: &ContactInfo| {
                field.is_some_and(|field| card.has_user(person.user, field))
                    || person.phone.as_ref().is_some_and(|phone| card.has_phone(phone))
            };
            if let Some(card) = rest.newest_contacts().await?.into_iter().find(is_he) {
                return self.enriched(rest, Met::of(card), person).await.map(Some);
            }
        }
        if route.silent {
            return Ok(None);
        }
        self.make(rest, person, route).await.map(Some)
    }

    /// Who somebody is, by his Telegram id and then by his phone.
    pub(super) async fn find_person(
        &self,
        rest: &Rest,
        person: &Person<'_>,
        route: &RouteSettings,
    ) -> Result<Option<Met>, NotHad> {
        if let Some(field) = self.id_field(rest).await? {
            let hits = rest.find_contacts(&person.user.to_string()).await?;
            let cards = hits.into_iter().filter(|card| card.has_user(person.user, field)).collect();
            if let Some(met) = self.chosen(rest, cards, route).await? {
                return self.enriched(rest, met, person).await.map(Some);
            }
        }
        if let Some(phone) = &person.phone {
            let cards = self.with_phone(rest, phone).await?;
            if let Some(met) = self.chosen(rest, cards, route).await? {
                return self.enriched(rest, met, person).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Contacts with this phone.
    pub(super) async fn with_phone(&self, rest: &Rest, phone: &Phone) -> Result<Vec<ContactInfo>, NotHad> {
        let hits = rest.find_contacts(phone.to_search()).await?;
        Ok(hits.into_iter().filter(|card| card.has_phone(phone)).collect())
    }

    /// The contact in whose card a chat is already.
    pub(super) async fn contact_of_chat(&self, rest: &Rest, chat: &str) -> Result<Option<Met>, NotHad> {
        let Some(id) = rest.contact_of(chat, Priority::Background).await? else { return Ok(None) };
        Ok(rest.contact(id).await?.map(Met::of))
    }

    /// Which of several contacts he is; that there are several is shown to people.
    async fn chosen(
        &self,
        rest: &Rest,
        mut cards: Vec<ContactInfo>,
        route: &RouteSettings,
    ) -> Result<Option<Met>, NotHad> {
        if cards.len() < 2 {
            return Ok(cards.pop().map(Met::of));
        }
        let Some(chosen) = self.choose_card(rest, &cards).await? else { return Ok(None) };
        let contacts = cards.iter().map(|card| card.id).collect();
        self.show_double(rest, Double { chosen, contacts }, route).await;
        Ok(cards.into_iter().find(|card| card.id == chosen).map(Met::of))
    }

    /// The one with an open lead, else the one changed last.
    pub(super) async fn choose_card(
        &self,
        rest: &Rest,
        cards: &[ContactInfo],
    ) -> Result<Option<u64>, NotHad> {
        let mut candidates = Vec::new();
        for card in cards.iter().take(CANDIDATES) {
            let leads = self.latest_leads(rest, card).await?;
            let has_open_lead = leads.iter().any(crate::people::is_open);
            candidates.push(Candidate { id: card.id, updated_at: card.updated_at, has_open_lead });
        }
        Ok(crate::people::choose(&candidates))
    }

    /// His card says who he is: the next time he is found by it.
    pub(super) async fn enriched(&self, rest: &Rest, met: Met, person: &Person<'_>) -> Result<Met, NotHad> {
        let field = self.id_field(rest).await?;
        self.write_learned(rest, &met, &person.learned(field)).await?;
        Ok(met)
    }

    /// Writes into a card what it does not say yet.
    pub(super) async fn write_learned(
        &self,
        rest: &Rest,
        met: &Met,
        learned: &Learned<'_>,
    ) -> Result<(), NotHad> {
        let Some(change) = met.card.as_ref().and_then(|card| changes(card, learned)) else { return Ok(()) };
        match rest.change_contact(met.id, &change).await {
            // It is his card all the same.
            Err(not_had) if not_had.is_refused() => {
                self.say_refused("a contact's card cannot be changed", &not_had);
                Ok(())
            }
            done => done,
        }
    }

    async fn make(&self, rest: &Rest, person: &Person<'_>, route: &RouteSettings) -> Result<Met, NotHad> {
        let field = self.id_field(rest).await?;
        let learned = person.learned(field);
        self.people.begin(person.user);
        let mut made = rest.make_contact(&ContactChange::new(person.name, &learned, route.responsible)).await;
        if let Err(not_had) = &made
            && not_had.is_refused()
            && route.responsible.is_some()
        {
            self.say_refused("a contact cannot be made for the route's responsible user", not_had);
            made = rest.make_contact(&ContactChange::new(person.name, &learned, None)).await;
        }
        match made {
            Ok(id) => {
                self.people.know(person.user, id);
                Ok(Met { id, card: None, is_new: true })
            }
            Err(not_had) => {
                if not_had.is_refused() {
                    self.people.refused(person.user);
                }
                Err(not_had)
            }
        }
    }

    pub(super) fn say_refused(&self, what: &str, not_had: &NotHad) {
        let name = &self.connection.name;
        tracing::warn!(connection.name = name, "{what} in connection {name}: {}", not_had.failure);
    }
}
