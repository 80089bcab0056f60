//! What the story of a channel of the owner's own says, in both languages.

/// The words of the story of a channel, in one language.
#[derive(Debug)]
pub(in crate::demo) struct ChannelWords {
    pub(in crate::demo) overture: &'static str,
    pub(in crate::demo) scenes: Scenes,
    pub(in crate::demo) asides: Asides,
    pub(in crate::demo) dialogue: Dialogue,
    pub(in crate::demo) expectations: Expectations,
    pub(in crate::demo) next: &'static str,
}

/// The titles.
#[derive(Debug)]
pub(in crate::demo) struct Scenes {
    pub(in crate::demo) connects: &'static str,
    pub(in crate::demo) begins: &'static str,
    pub(in crate::demo) manager: &'static str,
    pub(in crate::demo) buttons: &'static str,
    pub(in crate::demo) pictures: &'static str,
    pub(in crate::demo) down: &'static str,
    pub(in crate::demo) killed: &'static str,
    pub(in crate::demo) blocked: &'static str,
}

/// What people do between the lines.
#[derive(Debug)]
pub(in crate::demo) struct Asides {
    pub(in crate::demo) registers: &'static str,
    pub(in crate::demo) applies: &'static str,
    pub(in crate::demo) picture: &'static str,
    pub(in crate::demo) blocks: &'static str,
}

/// What is said in the chat.
#[derive(Debug)]
pub(in crate::demo) struct Dialogue {
    pub(in crate::demo) when: &'static str,
    pub(in crate::demo) morning: &'static str,
    pub(in crate::demo) evening: &'static str,
    pub(in crate::demo) like_this: &'static str,
    pub(in crate::demo) this_one: &'static str,
    pub(in crate::demo) on_its_way: &'static str,
    pub(in crate::demo) come_back: &'static str,
}

/// What must be seen.
#[derive(Debug)]
pub(in crate::demo) struct Expectations {
    pub(in crate::demo) connected: &'static str,
    pub(in crate::demo) no_chat_yet: &'static str,
    pub(in crate::demo) whole_talk: &'static str,
    pub(in crate::demo) delivered: &'static str,
    pub(in crate::demo) bot_is_silent: &'static str,
    pub(in crate::demo) press_is_words: &'static str,
    pub(in crate::demo) own_button_works: &'static str,
    pub(in crate::demo) picture_in_crm: &'static str,
    pub(in crate::demo) picture_on_phone: &'static str,
    pub(in crate::demo) hook_taken: &'static str,
    pub(in crate::demo) once: &'static str,
    pub(in crate::demo) failed: &'static str,
}

/// English.
pub(super) const ENGLISH: ChannelWords = ChannelWords {
    overture: "One Telegram bot and amoCRM by a chat channel of its own. All of it in a sandbox on this machine.",
    scenes: Scenes {
        connects: "The owner tells Tandem of the channel that amoCRM's support has registered",
        begins: "The bot greets the client, and she asks: the talk begins in amoCRM",
        manager: "A manager answers in amoCRM, and the bot's code leaves them to it",
        buttons: "The manager shows buttons of his own",
        pictures: "A picture from her to amoCRM, and one from amoCRM to her",
        down: "amoCRM does not answer while the client writes",
        killed: "Tandem is killed right after it has taken a manager's message",
        blocked: "The client blocks the bot, and a manager writes",
    },
    asides: Asides {
        registers: "hands out the channel: id, secret, code, bot",
        applies: "$ tandem apply bots.toml",
        picture: "sends a picture",
        blocks: "blocks the bot",
    },
    dialogue: Dialogue {
        when: "We do. When shall we come?",
        morning: "In the morning",
        evening: "In the evening",
        like_this: "like this one, please",
        this_one: "We have this one",
        on_its_way: "Your order is on its way.",
        come_back: "We have fresh beans today!",
    },
    expectations: Expectations {
        connected: "the channel is connected to the account",
        no_chat_yet: "commands and the bot's buttons stay in the code: nothing in amoCRM yet",
        whole_talk: "amoCRM has the talk: what the bot had said before, her words, the bot's answer",
        delivered: "amoCRM shows it as delivered",
        bot_is_silent: "the bot's code is not given her words while a manager talks",
        press_is_words: "her press is in amoCRM, word for word, and did not go to the bot's code",
        own_button_works: "the bot's own button works all the same",
        picture_in_crm: "amoCRM has fetched the picture, and complains of nothing",
        picture_on_phone: "the manager's picture is on her phone",
        hook_taken: "amoCRM was told that its hook was taken",
        once: "after the restart she has it, once",
        failed: "the manager sees that it was not delivered, in Telegram's words",
    },
    next: "With your own amoCRM: docs/amocrm.md",
};

/// Русский.
pub(super) const RUSSIAN: ChannelWords = ChannelWords {
    overture: "Один бот Telegram и amoCRM через собственный канал чатов. Всё идёт на этой машине, в песочнице.",
    scenes: Scenes {
        connects: "Владелец сообщает Tandem о канале, который зарегистрировала поддержка amoCRM",
        begins: "Бот здоровается, клиент спрашивает: разговор начинается в amoCRM",
        manager: "Менеджер отвечает в amoCRM, код бота не вмешивается",
        buttons: "Менеджер показывает свои кнопки",
        pictures: "Картинка от клиента в amoCRM и из amoCRM клиенту",
        down: "amoCRM не отвечает, а клиент пишет",
        killed: "Tandem убит сразу после того, как принял сообщение менеджера",
        blocked: "Клиент блокирует бота, а менеджер пишет",
    },
    asides: Asides {
        registers: "выдаёт канал: id, секрет, код, бот",
        applies: "$ tandem apply bots.toml",
        picture: "отправляет картинку",
        blocks: "блокирует бота",
    },
    dialogue: Dialogue {
        when: "Есть. Когда привезти?",
        morning: "Утром",
        evening: "Вечером",
        like_this: "вот такой, пожалуйста",
        this_one: "У нас есть вот такой",
        on_its_way: "Ваш заказ в пути.",
        come_back: "У нас сегодня свежая обжарка!",
    },
    expectations: Expectations {
        connected: "канал подключён к аккаунту",
        no_chat_yet: "команды и кнопки бота остаются в коде: в amoCRM пока ничего",
        whole_talk: "в amoCRM весь разговор: сказанное ботом до того, слова клиента, ответ бота",
        delivered: "amoCRM показывает, что доставлено",
        bot_is_silent: "пока говорит менеджер, слов клиента код бота не получает",
        press_is_words: "нажатие в amoCRM дословно, а до кода бота не дошло",
        own_button_works: "своя кнопка бота работает и сейчас",
        picture_in_crm: "amoCRM забрала картинку и ни на что не жалуется",
        picture_on_phone: "картинка менеджера на телефоне клиента",
        hook_taken: "amoCRM получила ответ, что её сообщение принято",
        once: "после запуска оно у клиента, один раз",
        failed: "менеджер видит, что не доставлено, словами Telegram",
    },
    next: "Со своей amoCRM: docs/amocrm.ru.md",
};
