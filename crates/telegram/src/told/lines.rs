//! Content that no CRM has a word for, as lines that people can read.

use tandem_model::message::{AttachmentKind, Content};

use super::{Reader, content::own_text, object::Object, person::chat_name, text::excerpt};

/// Currencies whose smallest unit is not a hundredth, and how many digits it has.
const DIGITS: [(&str, usize); 15] = [
    ("XTR", 0),
    ("CLP", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("UGX", 0),
    ("VND", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
];

/// How much is said of a message that another one points at.
const EXCERPT: usize = 200;

impl Reader {
    /// What a kind of file is called.
    pub(super) fn kind_label(&self, kind: AttachmentKind) -> &'static str {
        let (russian, english) = match kind {
            AttachmentKind::Picture => ("Фото", "Photo"),
            AttachmentKind::Video => ("Видео", "Video"),
            AttachmentKind::Voice => ("Голосовое сообщение", "Voice message"),
            AttachmentKind::Audio => ("Аудио", "Audio"),
            AttachmentKind::File => ("Файл", "File"),
            AttachmentKind::Sticker => ("Стикер", "Sticker"),
        };
        self.language.pick(russian, english)
    }

    /// What a message said, in short: for quotes of it.
    pub(super) fn excerpt(&self, message: &Object<'_>) -> String {
        let Some((content, text)) = self.content(message) else { return String::new() };
        let label = match content {
            Content::Text | Content::Line => String::new(),
            Content::File(file) if file.kind == AttachmentKind::File => {
                format!("{}: {}", self.kind_label(file.kind), file.name)
            }
            Content::File(file) => self.kind_label(file.kind).to_owned(),
            Content::Place(place) => {
                place.title.unwrap_or_else(|| self.language.pick("Геопозиция", "Location").to_owned())
            }
            Content::Contact(card) => format!("{} {}", card.name, card.phone),
        };
        let words = match (label.is_empty(), text.trim().is_empty()) {
            (true, _) => text,
            (false, true) => label,
            (false, false) => format!("{label}: {text}"),
        };
        excerpt(&words, EXCERPT)
    }

    pub(super) fn paid(&self, count: i64, files: usize) -> String {
        let stars = stars(count);
        self.language
            .pick(format!("Платные файлы ({files}) за {stars}"), format!("Paid media ({files}) for {stars}"))
    }

    pub(super) fn story(&self, story: &Object<'_>) -> String {
        let word = self.language.pick("История", "Story");
        match story.object("chat").as_ref().and_then(chat_name) {
            Some(name) => format!("{word}: {name}"),
            None => word.to_owned(),
        }
    }

    pub(super) fn checklist(&self, checklist: &Object<'_>) -> String {
        let title = own_text(checklist, "title", "title_entities").unwrap_or_default();
        let mut lines = vec![format!("{}: {title}", self.language.pick("Список дел", "Checklist"))];
        for task in checklist.objects("tasks") {
            let done = task.integer("completion_date").is_some_and(|date| date > 0)
                || task.has("completed_by_user")
                || task.has("completed_by_chat");
            let mark = if done { "☑" } else { "☐" };
            lines.push(format!("{mark} {}", own_text(&task, "text", "text_entities").unwrap_or_default()));
        }
        lines.join("\n")
    }

    pub(super) fn game(&self, game: &Object<'_>) -> String {
        let title = game.words("title").unwrap_or_default();
        let mut line = self.language.pick(format!("Игра «{title}»"), format!("Game “{title}”"));
        for part in ["description", "text"] {
            if let Some(words) = game.words(part) {
                line.push('\n');
                line.push_str(&words);
            }
        }
        line
    }

    pub(super) fn poll(&self, poll: &Object<'_>) -> String {
        let word = match (poll.text("type").as_deref(), poll.is_set("is_closed")) {
            (Some("quiz"), false) => self.language.pick("Викторина", "Quiz"),
            (Some("quiz"), true) => self.language.pick("Викторина завершена", "Quiz, closed"),
            (_, false) => self.language.pick("Опрос", "Poll"),
            (_, true) => self.language.pick("Опрос завершён", "Poll, closed"),
        };
        let question = own_text(poll, "question", "question_entities").unwrap_or_default();
        let mut lines = vec![format!("{word}: {question}")];
        lines.extend(own_text(poll, "description", "description_entities").filter(|words| !words.is_empty()));
        let counted = poll.integer("total_voter_count").is_some_and(|count| count > 0);
        for option in poll.objects("options") {
            let words = option.text("text").unwrap_or_default();
            lines.push(match option.integer("voter_count").filter(|_| counted) {
                Some(count) => format!("• {words} — {count}"),
                None => format!("• {words}"),
            });
        }
        lines.join("\n")
    }

    pub(super) fn invoice(&self, invoice: &Object<'_>) -> String {
        let (title, money) = (invoice.words("title").unwrap_or_default(), money(invoice));
        let line = self
            .language
            .pick(format!("Счёт на оплату «{title}»: {money}"), format!("Invoice “{title}”: {money}"));
        match invoice.words("description") {
            Some(words) => format!("{line}\n{words}"),
            None => line,
        }
    }

    pub(super) fn giveaway(&self, giveaway: &Object<'_>) -> String {
        let winners = giveaway.integer("winner_count").unwrap_or_default();
        let day = day(giveaway.integer("winners_selection_date").unwrap_or_default());
        let line = self.language.pick(
            format!("Розыгрыш: победителей {winners}, итоги {day}"),
            format!("Giveaway: {winners} to win, drawn on {day}"),
        );
        with_prize(line, giveaway)
    }

    pub(super) fn giveaway_winners(&self, giveaway: &Object<'_>) -> String {
        let winners = giveaway.integer("winner_count").unwrap_or_default();
        let line = self.language.pick(
            format!("Итоги розыгрыша: победителей {winners}"),
            format!("Giveaway drawn: {winners} have won"),
        );
        with_prize(line, giveaway)
    }
}

/// An amount of money.
pub(super) fn money(of: &Object<'_>) -> String {
    let currency = of.words("currency").unwrap_or_default();
    let amount = of.integer("total_amount").unwrap_or_default();
    if currency == "XTR" {
        return stars(amount);
    }
    let digits = DIGITS.iter().find(|(known, _)| *known == currency).map_or(2, |(_, digits)| *digits);
    let sign = if amount < 0 { "-" } else { "" };
    let figures = format!("{:0>width$}", amount.unsigned_abs(), width = digits + 1);
    let (whole, rest) = figures.split_at(figures.len() - digits);
    let point = if digits > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{rest} {currency}").trim_end().to_owned()
}

/// So many of Telegram's Stars.
pub(super) fn stars(count: i64) -> String {
    format!("{count} ⭐")
}

fn with_prize(line: String, giveaway: &Object<'_>) -> String {
    match giveaway.words("prize_description") {
        Some(prize) => format!("{line}\n{prize}"),
        None => line,
    }
}

/// `2026-01-31`, by the calendar of UTC; nothing for a moment in no calendar.
pub(super) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|moment| moment.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_in_its_own_units() {
        for (currency, amount, expected) in [
            ("RUB", 49_900, "499.00 RUB"),
            ("USD", 5, "0.05 USD"),
            ("JPY", 500, "500 JPY"),
            ("KWD", 1234, "1.234 KWD"),
            ("XTR", 50, "50 ⭐"),
            ("EUR", -150, "-1.50 EUR"),
            ("USD", i64::MIN, "-92233720368547758.08 USD"),
        ] {
            let payment = format!(r#"{{"currency":"{currency}","total_amount":{amount}}}"#);
            assert_eq!(money(&Object::of(payment.as_bytes()).unwrap()), expected);
        }
        assert_eq!(money(&Object::default()), "0.00");
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            (-1, "1969-12-31"),
            (i64::MAX, ""),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }
}
