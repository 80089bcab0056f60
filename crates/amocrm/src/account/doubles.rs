//! Several contacts that may be one person: they are not merged, they are shown. In the log, by `tandem doctor`, and in a
//! note on each of the cards.

use super::AmocrmAccount;
use crate::{
    people::Double,
    rest::{Priority, Rest},
    tell::{Language, RouteSettings},
};

impl AmocrmAccount {
    /// Tells people, once. That somebody cannot be told keeps nothing from going on.
    pub(super) async fn show_double(&self, rest: &Rest, double: Double, route: &RouteSettings) {
        let words = words(&double, route.language);
        if !self.people.note_double(double.clone()) {
            return;
        }
        let (name, listed) = (&self.connection.name, listed(&double));
        tracing::warn!(
            connection.name = name,
            "contacts {listed} in connection {name} may be one person; the chat goes to {}",
            double.chosen
        );
        if !self.connection.people.double_notes || route.silent {
            return;
        }
        for contact in &double.contacts {
            if let Err(not_had) = rest.note(*contact, &words, Priority::Background).await {
                tracing::debug!(connection.name = name, "no note on a double contact: {}", not_had.failure);
            }
        }
    }
}

/// The numbers of the contacts.
pub(super) fn listed(double: &Double) -> String {
    double.contacts.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn words(double: &Double, language: Language) -> String {
    let (contacts, chosen) = (listed(double), double.chosen);
    match language {
        Language::Ru => format!(
            "Возможно, это один и тот же клиент: контакты {contacts}. Переписка из Telegram идёт в карточке контакта \
             {chosen}. Если это один человек, объедините контакты."
        ),
        Language::En => format!(
            "These contacts may be one person: {contacts}. The conversation in Telegram goes on in the card of contact \
             {chosen}. If they are one person, merge them."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_which_contacts_and_where_the_chat_is() {
        let double = Double { chosen: 2, contacts: [1, 2].into() };
        for language in [Language::Ru, Language::En] {
            let words = words(&double, language);
            assert!(words.contains("1, 2") && words.contains(" 2."), "{words}");
        }
    }
}
