//! Everything the demo says, in Russian and in English: one struct, two constants, so that a sentence missing in
//! one language does not compile.

mod channel;
mod companion;
mod english;
mod russian;
mod wahelp;

use self::{channel::ChannelWords, companion::CompanionWords, wahelp::WahelpWords};
pub(super) use english::ENGLISH;
pub(super) use russian::RUSSIAN;

/// The words of one language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) cast: Cast,
    pub(super) dialogue: Dialogue,
    pub(super) scenes: Scenes,
    pub(super) asides: Asides,
    pub(super) expectations: Expectations,
    pub(super) passing: PassingWords,
    pub(super) end: End,
    pub(super) companion: CompanionWords,
    pub(super) channel: ChannelWords,
    pub(super) wahelp: WahelpWords,
}

/// Who speaks.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) client: &'static str,
    pub(super) bot: &'static str,
    pub(super) manager: &'static str,
    pub(super) salesbot: &'static str,
    pub(super) owner: &'static str,
    pub(super) tandem: &'static str,
}

/// What is said in the chat.
#[derive(Debug)]
pub(super) struct Dialogue {
    pub(super) client_name: &'static str,
    pub(super) shop_name: &'static str,
    pub(super) open_today: &'static str,
    pub(super) until_ten: &'static str,
    pub(super) delivery: &'static str,
    pub(super) delivery_is_free: &'static str,
    pub(super) questions_while_amocrm_is_down: [&'static str; 3],
    pub(super) about_those: &'static str,
    pub(super) question_while_bot_is_down: &'static str,
    pub(super) questions_while_tandem_is_down: [&'static str; 2],
    pub(super) goodbye: &'static str,
    pub(super) see_you: &'static str,
    pub(super) menu_of_amocrm: &'static str,
    pub(super) salesbot_asks: &'static str,
    pub(super) salesbot_buttons: [(&'static str, &'static str); 2],
    pub(super) bot: BotWords,
}

/// What the bonus bot says and the buttons it shows.
#[derive(Debug)]
pub(super) struct BotWords {
    pub(super) welcome: &'static str,
    pub(super) balance_button: &'static str,
    pub(super) order_button: &'static str,
    pub(super) balance_before: &'static str,
    pub(super) balance_after: &'static str,
    pub(super) choose: &'static str,
    pub(super) product_button: &'static str,
    pub(super) ordered_toast: &'static str,
    pub(super) ordered: &'static str,
    pub(super) manager_will_answer: &'static str,
}

/// The titles.
#[derive(Debug)]
pub(super) struct Scenes {
    pub(super) overture: &'static str,
    pub(super) amocrm_holds_the_bot: &'static str,
    pub(super) adopt: &'static str,
    pub(super) the_bot_starts: &'static str,
    pub(super) both_see_and_both_answer: &'static str,
    pub(super) buttons: &'static str,
    pub(super) amocrm_is_down: &'static str,
    pub(super) the_bot_is_restarted: &'static str,
    pub(super) tandem_is_killed: &'static str,
    pub(super) release: &'static str,
}

/// What people do between the lines.
#[derive(Debug)]
pub(super) struct Asides {
    pub(super) connects: &'static str,
    pub(super) adopts: &'static str,
    pub(super) adopted: &'static str,
    pub(super) starts_bot: &'static str,
    pub(super) amocrm_goes: &'static str,
    pub(super) amocrm_returns: &'static str,
    pub(super) stops_bot: &'static str,
    pub(super) kills_tandem: &'static str,
    pub(super) starts_tandem: &'static str,
    pub(super) stops_bot_for_good: &'static str,
    pub(super) released: &'static str,
    pub(super) tandem_ends: &'static str,
}

/// What must be seen.
#[derive(Debug)]
pub(super) struct Expectations {
    pub(super) webhook_is_amocrms: &'static str,
    pub(super) amocrm_sees: &'static str,
    pub(super) client_sees_manager: &'static str,
    pub(super) holder_recognised: &'static str,
    pub(super) stream_is_ours: &'static str,
    pub(super) bot_answers: &'static str,
    pub(super) dropping_touched_nobody: &'static str,
    pub(super) bots_button_works: &'static str,
    pub(super) press_is_answered: &'static str,
    pub(super) salesbot_asks: &'static str,
    pub(super) salesbots_button_works: &'static str,
    pub(super) nobody_in_the_way: &'static str,
    pub(super) bot_does_not_wait: &'static str,
    pub(super) amocrm_is_behind: &'static str,
    pub(super) amocrm_has_everything: &'static str,
    pub(super) bot_has_everything: &'static str,
    pub(super) told_to_wait: &'static str,
    pub(super) nothing_twice: &'static str,
    pub(super) webhook_is_amocrms_again: &'static str,
    pub(super) amocrm_works_without_us: &'static str,
}

/// The lines of what passes between the parts.
#[derive(Debug)]
pub(super) struct PassingWords {
    pub(super) bot: &'static str,
    pub(super) straight_from_amocrm: &'static str,
    pub(super) later: &'static str,
    pub(super) is_spared: &'static str,
}

/// How it ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) instead: &'static str,
    pub(super) held: &'static str,
    pub(super) not_held: &'static str,
    pub(super) of: &'static str,
    pub(super) next: &'static str,
}
