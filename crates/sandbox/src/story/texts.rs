//! Every sentence of the story, in Russian and in English, in one table.
//!
//! The bot of the story speaks Russian; where the English story quotes it, the table adds what it means.

use super::transcript::Speaker;

/// The language of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Русский.
    Russian,
    /// English.
    English,
}

/// A sentence of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    SpeakerClient,
    SpeakerBot,
    SpeakerManager,
    SpeakerOwner,
    SpeakerLog,
    Instead,
    StepAmoCrm,
    OwnerConnects,
    WebhookIsAmoCrms,
    AskOpen,
    AmoCrmSees,
    ManagerAnswers,
    ClientGetsManager,
    StepBot,
    OwnerStartsBot,
    WebhookIsGone,
    NoWebhook,
    StepSilence,
    AskDelivery,
    BotAnswers,
    TelegramGaveItTo,
    AmoCrmIsSilent,
    NotThere,
    Last,
    StepReconnect,
    OwnerReconnects,
    PollingDies,
    StepDeaf,
    AskBalance,
    BotIsSilent,
    NoAnswer,
    BotIsAlive,
    Running,
    Ended,
    Nothing,
    Reproduced,
    NotReproduced,
    InstallPython,
    GiveBot,
}

/// The sentence in this language.
pub(super) fn in_words(language: Language, text: Text) -> &'static str {
    let (russian, english) = both(text);
    match language {
        Language::Russian => russian,
        Language::English => english,
    }
}

/// The table: Russian, then English.
fn both(text: Text) -> (&'static str, &'static str) {
    match text {
        Text::SpeakerClient => ("Клиент Анна", "Client Anna"),
        Text::SpeakerBot => ("Бот", "Bot"),
        Text::SpeakerManager => ("Менеджер в amoCRM", "Manager in amoCRM"),
        Text::SpeakerOwner => ("Владелец", "Owner"),
        Text::SpeakerLog => ("Журнал бота", "Bot's log"),
        Text::Instead => ("нет, видно другое:", "no, instead:"),
        Text::StepAmoCrm => (
            "Бот подключён к amoCRM: менеджер видит клиентов",
            "The bot is connected to amoCRM: the manager sees clients",
        ),
        Text::OwnerConnects => (
            "вставляет токен бота в настройки источников amoCRM",
            "pastes the bot's token into amoCRM's sources",
        ),
        Text::WebhookIsAmoCrms => ("вебхук бота — у amoCRM", "the bot's webhook is amoCRM's"),
        Text::AskOpen => ("Здравствуйте! Вы сегодня открыты?", "Hello! Are you open today?"),
        Text::AmoCrmSees => ("amoCRM видит клиента", "amoCRM sees the client"),
        Text::ManagerAnswers => ("Да, до 22:00. Ждём вас!", "Yes, until 10 p.m. See you!"),
        Text::ClientGetsManager => {
            ("ответ менеджера дошёл до клиента", "the manager's answer reached the client")
        }
        Text::StepBot => (
            "Владелец запускает своего бонусного бота с тем же токеном",
            "The owner starts his bonus bot with the same token",
        ),
        Text::OwnerStartsBot => (
            "запускает bot.py: delete_webhook(drop_pending_updates=True), затем start_polling; aiogram",
            "runs bot.py: delete_webhook(drop_pending_updates=True), then start_polling; aiogram",
        ),
        Text::WebhookIsGone => ("бот снял вебхук amoCRM", "the bot removed amoCRM's webhook"),
        Text::NoWebhook => ("вебхука нет", "no webhook"),
        Text::StepSilence => (
            "Клиент пишет: бот отвечает, amoCRM молчит",
            "The client writes: the bot answers, amoCRM goes silent",
        ),
        Text::AskDelivery => ("Есть ли у вас доставка?", "Do you deliver?"),
        Text::BotAnswers => ("бот ответил", "the bot answered (“Thank you! A manager will answer soon.”)"),
        Text::TelegramGaveItTo => ("Telegram отдал сообщение боту", "Telegram gave the message to the bot"),
        Text::AmoCrmIsSilent => ("в amoCRM сообщения нет", "the message is not in amoCRM"),
        Text::NotThere => ("менеджер его не увидит", "the manager will not see it"),
        Text::Last => ("последнее в amoCRM", "the last in amoCRM is"),
        Text::StepReconnect => (
            "amoCRM подключают заново: опрос бота обрывается",
            "amoCRM is connected again: the bot's polling dies",
        ),
        Text::OwnerReconnects => (
            "сохраняет источник в amoCRM ещё раз, чтобы чаты вернулись",
            "saves the source in amoCRM once more to get the chats back",
        ),
        Text::PollingDies => ("getUpdates бота отвечает 409", "the bot's getUpdates is answered with 409"),
        Text::StepDeaf => (
            "Клиент пишет: amoCRM снова видит, бот молчит",
            "The client writes: amoCRM sees him again, the bot is silent",
        ),
        Text::AskBalance => ("Сколько у меня бонусов?", "How many bonuses do I have?"),
        Text::BotIsSilent => ("бот не ответил", "the bot did not answer"),
        Text::NoAnswer => ("ответа нет, getUpdates снова 409", "no answer, getUpdates is 409 again"),
        Text::BotIsAlive => {
            ("программа бота при этом работает", "the bot's program is running all the while")
        }
        Text::Running => ("работает", "running"),
        Text::Ended => ("завершилась", "it has ended"),
        Text::Nothing => ("ничего", "nothing"),
        Text::Reproduced => (
            "Ошибка воспроизведена: у бота один поток обновлений, и владелец его кода и amoCRM отнимают его друг у друга.",
            "The bug is reproduced: a bot has one update stream, and its owner's code and amoCRM take it from each other.",
        ),
        Text::NotReproduced => (
            "Ошибка НЕ воспроизведена: строки с ✗ показывают, что вышло иначе.",
            "The bug is NOT reproduced: the lines with ✗ show what was different.",
        ),
        Text::InstallPython => (
            "Нужен Python с aiogram. Установить: scripts/setup \
         (или: python3 -m pip install -r examples/aiogram-bonus-bot/requirements.txt). \
         Другой Python указывает TANDEM_PYTHON.",
            "Python with aiogram is needed. Install it: scripts/setup \
         (or: python3 -m pip install -r examples/aiogram-bonus-bot/requirements.txt). \
         TANDEM_PYTHON names another Python.",
        ),
        Text::GiveBot => (
            "Запустите команду в исходниках Tandem или укажите папку бота: --bot ПАПКА.",
            "Run the command in Tandem's source tree, or give the bot's folder: --bot FOLDER.",
        ),
    }
}

impl Text {
    pub(super) fn of(speaker: Speaker) -> Self {
        match speaker {
            Speaker::Client => Self::SpeakerClient,
            Speaker::Bot => Self::SpeakerBot,
            Speaker::Manager => Self::SpeakerManager,
            Speaker::Owner => Self::SpeakerOwner,
            Speaker::Log => Self::SpeakerLog,
        }
    }
}

impl Language {
    /// The language of a `LANG` value: Russian if it says so, else English.
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("ru") { Self::Russian } else { Self::English }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_chooses_the_language() {
        assert_eq!(Language::of_locale("ru_RU.UTF-8"), Language::Russian);
        assert_eq!(Language::of_locale("C.UTF-8"), Language::English);
    }
}
