//! What we ourselves say in a chat, in the route's language.

use serde::Deserialize;
use tandem_model::message::AttachmentKind;

/// The language of lines that we write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Language {
    #[default]
    Ru,
    En,
}

impl Language {
    pub(super) const fn bot(self) -> &'static str {
        match self {
            Self::Ru => "Бот",
            Self::En => "Bot",
        }
    }

    pub(super) const fn nothing(self) -> &'static str {
        match self {
            Self::Ru => "(пустое сообщение)",
            Self::En => "(empty message)",
        }
    }

    pub(super) fn manager(self, name: Option<&str>) -> String {
        match (self, name) {
            (Self::Ru, Some(name)) => format!("{name} (менеджер):"),
            (Self::Ru, None) => "Менеджер:".to_owned(),
            (Self::En, Some(name)) => format!("{name} (manager):"),
            (Self::En, None) => "Manager:".to_owned(),
        }
    }

    pub(super) fn forwarded(self, from: &str) -> String {
        match self {
            Self::Ru => format!("Переслано от: {from}"),
            Self::En => format!("Forwarded from: {from}"),
        }
    }

    pub(super) fn answers(self, by: Option<&str>, text: &str) -> String {
        match (self, by) {
            (Self::Ru, Some(by)) => format!("В ответ на слова «{text}» ({by}):"),
            (Self::Ru, None) => format!("В ответ на слова «{text}»:"),
            (Self::En, Some(by)) => format!("In answer to “{text}” ({by}):"),
            (Self::En, None) => format!("In answer to “{text}”:"),
        }
    }

    /// A file that could not be handed over.
    pub(super) fn file(self, kind: AttachmentKind, name: &str, size_bytes: Option<u64>) -> String {
        let word = match (self, kind) {
            (Self::Ru, AttachmentKind::Picture) => "Изображение",
            (Self::Ru, AttachmentKind::Video) => "Видео",
            (Self::Ru, AttachmentKind::Voice) => "Голосовое сообщение",
            (Self::Ru, AttachmentKind::Audio) => "Аудио",
            (Self::Ru, AttachmentKind::File) => "Файл",
            (Self::Ru, AttachmentKind::Sticker) => "Стикер",
            (Self::En, AttachmentKind::Picture) => "Picture",
            (Self::En, AttachmentKind::Video) => "Video",
            (Self::En, AttachmentKind::Voice) => "Voice message",
            (Self::En, AttachmentKind::Audio) => "Audio",
            (Self::En, AttachmentKind::File) => "File",
            (Self::En, AttachmentKind::Sticker) => "Sticker",
        };
        let name = if name.is_empty() { String::new() } else { format!(" {name}") };
        match size_bytes {
            Some(size) => format!("{word}{name}, {}", self.size(size)),
            None => format!("{word}{name}"),
        }
    }

    fn size(self, bytes: u64) -> String {
        const KB: u64 = 1024;
        let units = match self {
            Self::Ru => ["Б", "КБ", "МБ", "ГБ"],
            Self::En => ["bytes", "KB", "MB", "GB"],
        };
        let (mut unit, mut one) = (0, 1);
        while unit + 1 < units.len() && bytes / one >= KB {
            unit += 1;
            one *= KB;
        }
        if unit == 0 {
            return format!("{bytes} {}", units[0]);
        }
        let tenths = (bytes.saturating_mul(10) + one / 2) / one;
        let point = match self {
            Self::Ru => ',',
            Self::En => '.',
        };
        match tenths % 10 {
            0 => format!("{} {}", tenths / 10, units[unit]),
            rest => format!("{}{point}{rest} {}", tenths / 10, units[unit]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_as_people_say_them() {
        for (bytes, ru, en) in [
            (0, "0 Б", "0 bytes"),
            (1023, "1023 Б", "1023 bytes"),
            (1024, "1 КБ", "1 KB"),
            (26_529_792, "25,3 МБ", "25.3 MB"),
            (2 << 30, "2 ГБ", "2 GB"),
        ] {
            assert_eq!((Language::Ru.size(bytes).as_str(), Language::En.size(bytes).as_str()), (ru, en));
        }
    }
}
