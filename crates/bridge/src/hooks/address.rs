//! For which bot, and for which of its chats, something is that was heard at a vendor.

use tandem_journal::{Person, Presence, ReadError};
use tandem_model::{
    UserId,
    message::{ChatKey, PersonKey},
};
use tandem_vendor::HeardChat;

use crate::{
    Bridge,
    connections::{ChatName, LiveConnection, RouteOf, where_is},
};

/// How many people with one phone number are looked at.
const NAMESAKES: usize = 8;

/// Where something is to be carried out.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) route: RouteOf,
    pub(super) name: ChatName,
    pub(super) business: Option<String>,
    pub(super) chat: i64,
}

/// For whom something is.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// A chat.
    Chat(Box<Place>),
    /// Nobody who could be written to; this route reports it.
    Nobody(Box<RouteOf>),
    /// No route uses the connection any more.
    NoRoute,
}

impl Place {
    /// A chat by our name of it, where the connection has a route of its bot.
    pub(super) fn of(route: RouteOf, name: ChatName) -> Option<Self> {
        let (_, business, chat) = ChatKey::read(name.key.as_str())?;
        Some(Self { route, name, business, chat })
    }
}

impl Bridge {
    /// Finds it: by our name of the chat, else by the vendor's, else by the person, else by the phone of somebody who
    /// has shared his number with one of the bots.
    pub(super) async fn address_of(
        &self,
        live: &LiveConnection,
        heard: &HeardChat,
    ) -> Result<Address, ReadError> {
        let routes = self.routes_for(live, heard.source.as_deref());
        let Some(first) = routes.first() else { return Ok(Address::NoRoute) };
        if let Some(name) = heard.ours.as_deref().and_then(ChatName::read)
            && let Some((bot, ..)) = ChatKey::read(name.key.as_str())
            && let Some(route) = routes.iter().find(|route| route.bot == bot)
            && let Some(place) = Place::of(route.clone(), name)
        {
            return Ok(Address::Chat(Box::new(place)));
        }
        let store = &*self.parts().store;
        for route in &routes {
            if let Some(name) = where_is(store, route.bot, live.id(), &heard.theirs).await?
                && let Some(place) = Place::of(route.clone(), name)
            {
                return Ok(Address::Chat(Box::new(place)));
            }
        }
        let person = heard.person_ours.as_deref().and_then(PersonKey::read);
        let found = match person {
            Some(user) => self.route_that_knows(&routes, heard.source.as_deref(), user).await?,
            None => None,
        };
        let found = match (found, heard.phone.as_deref().and_then(digits)) {
            (None, Some(digits)) => self.find_by_phone(&routes, &digits).await?,
            (found, _) => found,
        };
        let Some((route, user)) = found else { return Ok(Address::Nobody(Box::new(first.clone()))) };
        let key = ChatKey::of(route.bot, None, user.get());
        let name = ChatName::another(store, route.bot, live.id(), key).await?;
        Ok(match Place::of(route, name) {
            Some(place) => Address::Chat(Box::new(place)),
            None => Address::Nobody(Box::new(first.clone())),
        })
    }

    /// One route for each bot: those of this source first, then by bot.
    fn routes_for(&self, live: &LiveConnection, source: Option<&str>) -> Vec<RouteOf> {
        let mut routes = self.connections().routes_of(live.id());
        // Through a companion nothing can be asked to be carried out.
        routes.retain(|route| route.companion.is_none());
        routes.sort_by_key(|route| {
            let is_source = source.is_some_and(|source| route.channel.source_of(route.bot) == source);
            (!is_source, route.bot, route.channel.silent)
        });
        routes.dedup_by_key(|route| route.bot);
        routes
    }

    /// The bot to which a person who is known to the vendor belongs: the source's, the only one, or one that knows him.
    async fn route_that_knows(
        &self,
        routes: &[RouteOf],
        source: Option<&str>,
        user: UserId,
    ) -> Result<Option<(RouteOf, UserId)>, ReadError> {
        let first = routes.first().filter(|route| {
            routes.len() == 1 || source.is_some_and(|source| route.channel.source_of(route.bot) == source)
        });
        if let Some(first) = first {
            return Ok(Some((first.clone(), user)));
        }
        for route in routes {
            if self.parts().store.find_person(route.bot, user).await?.is_some() {
                return Ok(Some((route.clone(), user)));
            }
        }
        Ok(None)
    }

    async fn find_by_phone(
        &self,
        routes: &[RouteOf],
        digits: &str,
    ) -> Result<Option<(RouteOf, UserId)>, ReadError> {
        for route in routes {
            let people =
                self.parts().store.list_people_by_phone(route.bot, digits.to_owned(), NAMESAKES).await?;
            if let Some(person) = people.into_iter().max_by_key(likely) {
                return Ok(Some((route.clone(), person.user)));
            }
        }
        Ok(None)
    }
}

/// Of several accounts with one number: one that can be written to, and that was used last.
fn likely(person: &Person) -> (bool, Option<i64>) {
    let seen = person.latest_start.as_ref().map(|start| start.at.as_millis());
    (person.presence == Presence::Reachable, seen)
}

/// The digits of a phone number with the country's, as Telegram writes it. Russians also write theirs with an 8 in
/// front.
fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = match (digits.len(), digits.strip_prefix('8')) {
        (11, Some(rest)) if !phone.trim_start().starts_with('+') => format!("7{rest}"),
        (10, _) if digits.starts_with('9') && !phone.trim_start().starts_with('+') => format!("7{digits}"),
        _ => digits,
    };
    (digits.len() >= 7).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_its_digits_with_the_country_in_front() {
        for (written, found) in [
            ("+7 (999) 000-11-22", Some("79990001122")),
            ("8 (999) 000-11-22", Some("79990001122")),
            ("9990001122", Some("79990001122")),
            ("79990001122", Some("79990001122")),
            ("+44 20 7946 0000", Some("442079460000")),
            ("+86 999 000 11 22", Some("869990001122")),
            ("", None),
            ("911", None),
            ("none", None),
        ] {
            assert_eq!(digits(written).as_deref(), found, "{written}");
        }
    }
}
