//! What the story of the built-in integration says of its companion, in both languages.

/// The words of those scenes, in one language.
#[derive(Debug)]
pub(in crate::demo) struct CompanionWords {
    /// In which notes are written.
    pub(in crate::demo) language: &'static str,
    /// How a note says that it is the bot who speaks.
    pub(in crate::demo) note_begins: &'static str,
    pub(in crate::demo) scenes: Scenes,
    pub(in crate::demo) asides: Asides,
    pub(in crate::demo) dialogue: Dialogue,
    pub(in crate::demo) expectations: Expectations,
}

/// The titles.
#[derive(Debug)]
pub(in crate::demo) struct Scenes {
    pub(in crate::demo) listens: &'static str,
    pub(in crate::demo) manager_talks: &'static str,
    pub(in crate::demo) notes: &'static str,
}

/// What people do between the lines.
#[derive(Debug)]
pub(in crate::demo) struct Asides {
    pub(in crate::demo) gives_address: &'static str,
    pub(in crate::demo) applies: &'static str,
    pub(in crate::demo) closes_talk: &'static str,
    pub(in crate::demo) on_the_card: &'static str,
}

/// What is said in the chat.
#[derive(Debug)]
pub(in crate::demo) struct Dialogue {
    pub(in crate::demo) second_pack: &'static str,
    pub(in crate::demo) ground_too: &'static str,
    pub(in crate::demo) as_beans: &'static str,
    pub(in crate::demo) how_long: &'static str,
}

/// What must be seen.
#[derive(Debug)]
pub(in crate::demo) struct Expectations {
    pub(in crate::demo) listens: &'static str,
    pub(in crate::demo) bot_is_silent: &'static str,
    pub(in crate::demo) bots_button_works: &'static str,
    pub(in crate::demo) bot_answers_again: &'static str,
    pub(in crate::demo) noted: &'static str,
}

/// English.
pub(super) const ENGLISH: CompanionWords = CompanionWords {
    language: "en",
    note_begins: "The bot:",
    scenes: Scenes {
        listens: "The owner connects the account: Tandem hears what managers do in amoCRM",
        manager_talks: "A manager talks: the bot keeps silent until the talk is closed",
        notes: "What the bot said stands on the client's card",
    },
    asides: Asides {
        gives_address: "gives Tandem a public address and starts it again",
        applies: "$ tandem apply bots.toml: an administrator's token of amoCRM, while_manager_talks = \"skip\"",
        closes_talk: "closes the talk",
        on_the_card: "a note on the card",
    },
    dialogue: Dialogue {
        second_pack: "May I add a second pack to my order?",
        ground_too: "Of course. Ground for a cezve too?",
        as_beans: "No, as beans. Will you deliver it today?",
        how_long: "How long are my bonuses good for?",
    },
    expectations: Expectations {
        listens: "the account tells Tandem what happens in it, at an address nobody else knows",
        bot_is_silent: "a manager talks: the bot is not given her words and keeps silent",
        bots_button_works: "the bot's own button works all the same",
        bot_answers_again: "the talk is closed: the bot answers again",
        noted: "the bot's words are on the card, the manager's are not there a second time",
    },
};

/// Русский.
pub(super) const RUSSIAN: CompanionWords = CompanionWords {
    language: "ru",
    note_begins: "Бот:",
    scenes: Scenes {
        listens: "Владелец подключает аккаунт: Tandem слышит, что делают менеджеры в amoCRM",
        manager_talks: "Говорит менеджер: бот молчит, пока беседа не закрыта",
        notes: "Сказанное ботом стоит в карточке клиента",
    },
    asides: Asides {
        gives_address: "даёт Tandem публичный адрес и запускает его снова",
        applies: "$ tandem apply bots.toml: токен администратора amoCRM, while_manager_talks = \"skip\"",
        closes_talk: "закрывает беседу",
        on_the_card: "примечание в карточке",
    },
    dialogue: Dialogue {
        second_pack: "Можно добавить к заказу вторую пачку?",
        ground_too: "Конечно. Её тоже помолоть под турку?",
        as_beans: "Нет, зёрнами. Привезёте сегодня?",
        how_long: "А бонусы долго действуют?",
    },
    expectations: Expectations {
        listens: "аккаунт сообщает Tandem, что в нём происходит, по адресу, которого больше никто не знает",
        bot_is_silent: "говорит менеджер: слов клиента бот не получает и молчит",
        bots_button_works: "своя кнопка бота работает и сейчас",
        bot_answers_again: "беседа закрыта: бот снова отвечает",
        noted: "слова бота есть в карточке, слов менеджера второй раз там нет",
    },
};
