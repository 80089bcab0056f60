//! Whether a rule's conditions hold.

use tandem_model::Flags;

use super::{
    Facts, Speaker, When,
    words::{Asked, AuthorWord, ButtonWord, ChatWord, Words},
};

/// Whether all of them do.
pub(super) fn fits(when: &When, facts: &Facts<'_>) -> bool {
    let When { kind, author, chat, command, button, state, campaign, text } = when;
    any(kind.as_ref(), |word| facts.kinds().any(|known| known == word.as_str()))
        && any(author.as_ref(), |word| is_author(word, facts.speaker()))
        && any(chat.as_ref(), |word| match word {
            ChatWord::Business => facts.business,
            word => facts.chat == Some(*word),
        })
        && asked(command.as_ref(), facts.command().is_some(), |word| {
            facts.command().is_some_and(|command| word.is(command))
        })
        && asked(button.as_ref(), is_button(facts), |word| is_button_of(*word, facts))
        && any(state.as_ref(), |word| *word == facts.state())
        && campaign.is_none_or(|campaign| campaign == facts.flags.intersects(Flags::CAMPAIGN))
        && any(text.as_ref(), |pattern| pattern.fits(facts.text()))
}

fn any<T: Ord>(words: Option<&Words<T>>, holds: impl Fn(&T) -> bool) -> bool {
    words.is_none_or(|words| words.iter().any(holds))
}

fn asked<T: Ord>(asked: Option<&Asked<T>>, there: bool, holds: impl Fn(&T) -> bool) -> bool {
    match asked {
        None => true,
        Some(Asked::Any(wanted)) => *wanted == there,
        Some(Asked::These(words)) => there && words.iter().any(holds),
    }
}

fn is_author(word: &AuthorWord, speaker: &Speaker) -> bool {
    match (word, speaker) {
        (AuthorWord::Client, Speaker::Client)
        | (AuthorWord::Bot, Speaker::Bot(_))
        | (AuthorWord::Manager, Speaker::Manager) => true,
        (AuthorWord::App(name), Speaker::Bot(app)) => app.as_deref() == Some(name),
        _ => false,
    }
}

/// Whether it is a press of any button.
pub(super) fn is_button(facts: &Facts<'_>) -> bool {
    facts.is_inline_press() || facts.flags.intersects(Flags::KNOWN_BUTTON)
}

fn is_button_of(word: ButtonWord, facts: &Facts<'_>) -> bool {
    match word {
        ButtonWord::Reply => !facts.is_inline_press(),
        ButtonWord::Inline => facts.is_inline_press(),
        ButtonWord::Manager => facts.flags.intersects(Flags::MANAGERS_BUTTON),
    }
}
