//! Looking after the client and the card of a chat that is open: matching one that was opened while nobody could be asked,
//! a new name, a number shared later, leads that were closed meanwhile, another `/start`.

use tandem_vendor::{Failure, Occasion, Tended, Tending};

use super::{
    AmocrmAccount,
    match_people::{Met, Person},
    speak::{known_chat, route},
};
use crate::{
    people::{Double, Learned, Starts},
    rest::{Linked, NotHad, Rest},
    tell::RouteSettings,
};

/// A chat in hand.
struct Case<'a> {
    rest: &'a Rest,
    chat: &'a str,
    person: Person<'a>,
    route: RouteSettings,
    starts: &'a [String],
    called: Option<&'a str>,
    occasion: Occasion,
}

impl Case<'_> {
    fn starts(&self) -> Starts<'_> {
        Starts { payloads: self.starts, first: &self.route.start_first, latest: &self.route.start_latest }
    }
}

impl AmocrmAccount {
    pub(super) async fn tend_chat(&self, tending: &Tending) -> Result<Tended, Failure> {
        let Tending { opening, ids, called, occasion } = tending;
        let as_before = Tended { contact: opening.contact.clone() };
        let (Some(rest), Some(chat), Some(person)) =
            (&self.rest, known_chat(ids), Person::of(&opening.client))
        else {
            return Ok(as_before);
        };
        let route = route(&opening.route)?;
        let case = Case {
            rest,
            chat,
            person,
            route,
            starts: &opening.starts,
            called: called.as_deref(),
            occasion: *occasion,
        };
        let _turn = self.people.turn(case.person.user).await;
        let known = opening.contact.as_ref().and_then(|id| id.parse().ok());
        let contact = self.tend_case(&case, known).await.map_err(|not_had| not_had.failure)?;
        Ok(contact.map_or(as_before, |id| Tended { contact: Some(id.to_string()) }))
    }

    async fn tend_case(&self, case: &Case<'_>, known: Option<u64>) -> Result<Option<u64>, NotHad> {
        let card = match known {
            Some(id) => case.rest.contact(id).await?,
            None => None,
        };
        let Some(card) = card else {
            // Nobody yet, or nobody any more: merged into another contact, deleted.
            self.people.forget(case.person.user);
            return self.rematch(case).await;
        };
        let mut met = Met { id: card.id, card: Some(card), is_new: false };
        match case.occasion {
            Occasion::Unmatched | Occasion::Silence => self.freshen(case, &met).await?,
            Occasion::Changed => met = self.change(case, met).await?,
            Occasion::Started => self.start_anew(case, &met).await?,
        }
        self.people.know(case.person.user, met.id);
        if case.occasion != Occasion::Changed {
            self.look_after_leads(case.rest, &met, &case.route, case.starts()).await?;
        }
        Ok(Some(met.id))
    }

    /// Whose an open chat is of which that is not known (any more). amoCRM has made a card for it by itself, unless it
    /// knew better; that card becomes his, or gives way to the one he had before.
    async fn rematch(&self, case: &Case<'_>) -> Result<Option<u64>, NotHad> {
        let Case { rest, chat, person, route, .. } = case;
        let own = self.contact_of_chat(rest, chat).await?;
        let found = self.find_person(rest, person, route).await?;
        let met = match (own, found) {
            (Some(own), Some(found)) if own.id != found.id => self.give_way(case, own, found).await?,
            (Some(own), _) => {
                let own = self.enriched(rest, own, person).await?;
                if route.accept_unsorted && !route.silent {
                    self.accept(case).await?;
                }
                Some(own)
            }
            (None, Some(found)) => self.put(rest, person, Some(found), chat, route).await?,
            (None, None) => {
                let made = self.meet(rest, person, chat, route).await?;
                self.put(rest, person, made, chat, route).await?
            }
        };
        let Some(met) = met else { return Ok(None) };
        self.people.know(person.user, met.id);
        self.look_after_leads(rest, &met, route, case.starts()).await?;
        Ok(Some(met.id))
    }

    /// The chat is in a card that amoCRM made, and its client has another one. An incoming lead is put into a lead of his,
    /// which takes the chat along (4.7); once somebody has accepted it, the chat is asked to move, which may be refused
    /// (4.5): then it stays, and both cards are shown.
    async fn give_way(&self, case: &Case<'_>, own: Met, found: Met) -> Result<Option<Met>, NotHad> {
        let Case { rest, chat, person, route, .. } = case;
        if let Some(uid) = incoming(rest.unsorted_of(chat).await)?
            && let Some(lead) = self.look_after_leads(rest, &found, route, case.starts()).await?
        {
            match rest.link_unsorted(&uid, lead, found.id).await {
                Ok(()) => return Ok(Some(Met { card: None, ..found })),
                Err(not_had) if not_had.is_refused() => {
                    self.say_refused("an incoming lead cannot be put into another one", &not_had);
                }
                Err(not_had) => return Err(not_had),
            }
        }
        drop(own);
        self.put(rest, person, Some(found), chat, route).await
    }

    async fn accept(&self, case: &Case<'_>) -> Result<(), NotHad> {
        let Case { rest, chat, route, .. } = case;
        let Some(uid) = incoming(rest.unsorted_of(chat).await)? else { return Ok(()) };
        match rest.accept_unsorted(&uid, route.stage, route.responsible).await {
            Err(not_had) if not_had.is_refused() => {
                self.say_refused("an incoming lead cannot be accepted", &not_had);
                Ok(())
            }
            done => done,
        }
    }

    /// The card has his present name, and what it should have had from the beginning.
    async fn freshen(&self, case: &Case<'_>, met: &Met) -> Result<(), NotHad> {
        let field = self.id_field(case.rest).await?;
        let renamed = case.called.map(|before| (before, case.person.name));
        let learned = Learned { renamed, ..case.person.learned(field) };
        self.write_learned(case.rest, met, &learned).await
    }

    /// He is called something else, or has shared his number: it may be in another card already. The chat goes to the one
    /// with an open lead, else to the one changed last; its own has precedence.
    async fn change(&self, case: &Case<'_>, met: Met) -> Result<Met, NotHad> {
        let Case { rest, chat, person, route, .. } = case;
        let card = met.card.as_ref();
        let is_news = |phone: &_| card.is_some_and(|card| !card.has_phone(phone));
        let Some(phone) = person.phone.as_ref().filter(|phone| is_news(phone)) else {
            self.freshen(case, &met).await?;
            return Ok(met);
        };
        let mut others = self.with_phone(rest, phone).await?;
        others.retain(|card| card.id != met.id);
        let mut contacts: std::collections::BTreeSet<u64> = others.iter().map(|card| card.id).collect();
        contacts.insert(met.id);
        let mut chosen = met.clone();
        if !others.is_empty()
            && let Some(card) = card
            && !self.latest_leads(rest, card).await?.iter().any(crate::people::is_open)
        {
            others.push(card.clone());
            let best = self.choose_card(rest, &others).await?.unwrap_or(met.id);
            if best != met.id
                && let Linked::To(id) = rest.link(chat, best).await?
                && id == best
            {
                let card = others.into_iter().find(|card| card.id == best);
                chosen = Met { id: best, card, is_new: false };
            }
        }
        self.freshen(case, &chosen).await?;
        if contacts.len() > 1 {
            self.show_double(rest, Double { chosen: chosen.id, contacts }, route).await;
        }
        Ok(chosen)
    }

    /// Another `/start`: what is open of the talk is closed where the route says so, so that what follows is a new one.
    async fn start_anew(&self, case: &Case<'_>, met: &Met) -> Result<(), NotHad> {
        if !case.route.close_talk_on_start || case.route.silent {
            return Ok(());
        }
        let talks = match case.rest.open_talks(met.id).await {
            Ok(talks) => talks,
            Err(not_had) if not_had.is_refused() => {
                self.say_refused("open talks cannot be listed, so none is closed", &not_had);
                return Ok(());
            }
            Err(not_had) => return Err(not_had),
        };
        let of_chat =
            talks.iter().filter(|talk| talk.is_in_work && talk.chat_id.as_deref() == Some(case.chat));
        for talk in of_chat {
            match case.rest.close_talk(talk.talk_id).await {
                Err(not_had) if not_had.is_refused() => self.say_refused("a talk cannot be closed", &not_had),
                done => done?,
            }
        }
        Ok(())
    }
}

/// Where the account does not tell of incoming leads, there is none.
fn incoming(found: Result<Option<String>, NotHad>) -> Result<Option<String>, NotHad> {
    match found {
        Err(not_had) if not_had.is_refused() => Ok(None),
        found => found,
    }
}
