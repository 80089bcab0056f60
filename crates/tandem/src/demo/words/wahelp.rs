//! What the story of Wahelp says, in both languages. What is said in the chat is the other stories'.

/// The words of the story of Wahelp, in one language.
#[derive(Debug)]
pub(in crate::demo) struct WahelpWords {
    pub(in crate::demo) overture: &'static str,
    pub(in crate::demo) scenes: Scenes,
    pub(in crate::demo) asides: Asides,
    pub(in crate::demo) expectations: Expectations,
    pub(in crate::demo) next: &'static str,
}

/// The titles.
#[derive(Debug)]
pub(in crate::demo) struct Scenes {
    pub(in crate::demo) holds: &'static str,
    pub(in crate::demo) adopt: &'static str,
    pub(in crate::demo) the_bot_starts: &'static str,
    pub(in crate::demo) both_answer: &'static str,
    pub(in crate::demo) down: &'static str,
    pub(in crate::demo) killed: &'static str,
    pub(in crate::demo) release: &'static str,
    pub(in crate::demo) refused: &'static str,
}

/// What people do between the lines.
#[derive(Debug)]
pub(in crate::demo) struct Asides {
    pub(in crate::demo) connects: &'static str,
    pub(in crate::demo) applies: &'static str,
    pub(in crate::demo) passing: &'static str,
    pub(in crate::demo) straight: &'static str,
}

/// What must be seen.
#[derive(Debug)]
pub(in crate::demo) struct Expectations {
    pub(in crate::demo) webhook_is_wahelps: &'static str,
    pub(in crate::demo) amocrm_sees: &'static str,
    pub(in crate::demo) holder_recognised: &'static str,
    pub(in crate::demo) bot_does_not_wait: &'static str,
    pub(in crate::demo) webhook_is_wahelps_again: &'static str,
    pub(in crate::demo) works_without_us: &'static str,
    pub(in crate::demo) refused: &'static str,
    pub(in crate::demo) nothing_sent: &'static str,
}

/// English.
pub(super) const ENGLISH: WahelpWords = WahelpWords {
    overture: "One Telegram bot: its owner's code, and amoCRM through Wahelp. All of it in a sandbox on this machine.",
    scenes: Scenes {
        holds: "The bot is a channel of Wahelp, which is linked to amoCRM",
        adopt: "Tandem takes the stream and keeps Wahelp on it",
        the_bot_starts: "The owner's bot starts the way that used to cut Wahelp off",
        both_answer: "The client asks: both see it, both answer",
        down: "Wahelp does not answer while the client writes",
        killed: "Tandem is killed in the middle of the conversation",
        release: "The owner gives the bot back: Wahelp works without Tandem",
        refused: "What cannot work: clients' words pushed into a personal account of Wahelp",
    },
    asides: Asides {
        connects: "gives the bot's token to Wahelp and links the channel to amoCRM",
        applies: "another bot, to the personal account clients_tg: $ tandem apply bots.toml",
        passing: "Telegram → (Tandem →) Wahelp → amoCRM",
        straight: "amoCRM → Wahelp → Telegram, with the bot's own token, past us",
    },
    expectations: Expectations {
        webhook_is_wahelps: "the bot's webhook is Wahelp's",
        amocrm_sees: "amoCRM's chat has all that was said, in order",
        holder_recognised: "Wahelp is recognised and kept as a route",
        bot_does_not_wait: "the bot answers at once and does not wait for Wahelp",
        webhook_is_wahelps_again: "the webhook is Wahelp's again",
        works_without_us: "Wahelp gets messages by itself",
        refused: "Tandem refuses until the owner says that he wants it",
        nothing_sent: "the client was sent nothing from the personal account, her own words least of all",
    },
    next: "With your own Wahelp: docs/wahelp.md",
};

/// Русский.
pub(super) const RUSSIAN: WahelpWords = WahelpWords {
    overture: "Один бот Telegram: код владельца и amoCRM через Wahelp. Всё идёт на этой машине, в песочнице.",
    scenes: Scenes {
        holds: "Бот подключён каналом к Wahelp, а Wahelp связан с amoCRM",
        adopt: "Tandem забирает поток и оставляет на нём Wahelp",
        the_bot_starts: "Бот владельца запускается так, что раньше это отрезало Wahelp",
        both_answer: "Клиент спрашивает: видят оба, отвечают оба",
        down: "Wahelp не отвечает, а клиент пишет",
        killed: "Tandem убит посреди разговора",
        release: "Владелец возвращает бота: Wahelp работает без Tandem",
        refused: "Что работать не может: слова клиентов, отправленные в личный аккаунт Wahelp",
    },
    asides: Asides {
        connects: "отдаёт токен бота в Wahelp и связывает канал с amoCRM",
        applies: "другой бот, в личный аккаунт clients_tg: $ tandem apply bots.toml",
        passing: "Telegram → (Tandem →) Wahelp → amoCRM",
        straight: "amoCRM → Wahelp → Telegram, с токеном бота, мимо нас",
    },
    expectations: Expectations {
        webhook_is_wahelps: "вебхук бота у Wahelp",
        amocrm_sees: "в чате amoCRM всё сказанное, по порядку",
        holder_recognised: "Wahelp узнан и оставлен маршрутом",
        bot_does_not_wait: "бот отвечает сразу и не ждёт Wahelp",
        webhook_is_wahelps_again: "вебхук снова у Wahelp",
        works_without_us: "Wahelp получает сообщения сам",
        refused: "Tandem отказывается, пока владелец не скажет, что хочет этого",
        nothing_sent: "из личного аккаунта клиенту ничего не ушло, и уж точно не её собственные слова",
    },
    next: "Со своим Wahelp: docs/wahelp.ru.md",
};
