//! The form by which support is asked to register a channel (3), filled in: text to be sent as it is.

/// What the form is filled in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// What the channel is called: Latin letters, no digit at the beginning. Shown below contacts' names.
    pub service: String,
    /// Where the chat service reaches our public listener, without a slash at its end.
    pub public_url: String,
    /// Numbers of the accounts that may use it before it is public.
    pub accounts: Vec<String>,
    /// Where support writes when something is wrong.
    pub email: String,
    /// The integration that uses the channel.
    pub client_id: String,
    /// The code of its widget.
    pub widget_code: String,
}

/// In which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationLanguage {
    /// Russian, for amoCRM.
    Ru,
    /// English, for Kommo.
    En,
}

/// What stands where something was not given.
const BLANK: &str = "________";

/// The filled-in form. The address has `:scope_id` where the chat service puts what it is connected to.
pub fn registration_form(registration: &Registration, language: RegistrationLanguage) -> String {
    let Registration { service, public_url, accounts, email, client_id, widget_code } = registration;
    let or_blank = |text: &str| if text.trim().is_empty() { BLANK.to_owned() } else { text.to_owned() };
    let (service, email) = (or_blank(service), or_blank(email));
    let (client_id, widget_code) = (or_blank(client_id), or_blank(widget_code));
    let accounts = or_blank(&accounts.join(", "));
    let base = or_blank(public_url.trim_end_matches('/'));
    let hook = format!("{base}/hooks/amocrm/<channel_id>/:scope_id");
    match language {
        RegistrationLanguage::Ru => format!(
            "Просим зарегистрировать канал Чатов API.

1. Название сервиса (латиницей): {service}
2. Адрес для вебхуков: {hook}
   (вместо <channel_id> просим подставить id канала; :scope_id остаётся как есть)
3. ID аккаунтов на время разработки: {accounts}
4. Возможность «Написать первым»: да
5. Ограничение времени ответа: не нужно
6. Почта для сообщений о неполадках: {email}
7. Иконка: SVG, круг 14x14 px, до 100 КБ (во вложении)
8. client_uuid интеграции: {client_id}
9. Код виджета интеграции: {widget_code}
10. Канал предназначен для своих аккаунтов; похожих решений с передачей сообщений собственного бота не знаем: клиент пишет в Telegram-бота, менеджер отвечает в сделке, код бота продолжает работать.
11. Файлы интеграция не хранит: отдаёт их из Telegram по подписанным ссылкам, которые действуют несколько часов.
12. Реакции: поддерживаются (набор эмодзи Telegram для ботов)
13. Цитирование сообщений: поддерживается
14. Голосовые сообщения: поддерживаются
15. Просим также присылать хуки о наборе текста менеджером (typing).

В ответе просим указать: код канала (amo.ext.…), id канала, секретный ключ, список аккаунтов, а также id, client_id и имя бота канала.
"
        ),
        RegistrationLanguage::En => format!(
            "Please register a Chats API channel.

1. Service name (Latin letters): {service}
2. Webhook address: {hook}
   (please put the channel's id in place of <channel_id>; :scope_id stays as it is)
3. Account ids for the time of development: {accounts}
4. \"Write first\": yes
5. Reply window: not needed; no templates after it
6. E-mail for trouble: {email}
7. Icon: SVG, a circle, 14x14 px, up to 100 KB (attached)
8. client_uuid of the integration: {client_id}
9. Widget code of the integration: {widget_code}
10. For our own accounts; we know of no similar solution that shows a bot's own messages: the client writes to a Telegram bot, a manager answers in the lead, the bot's own code keeps working.
11. The integration stores no files: it serves them from Telegram by signed links that live some hours.
12. Reactions: supported (the emoji that Telegram allows bots)
13. Quoting: supported
14. Voice messages: supported
15. Typing hooks: please send them. Largest file: 20 MB to amoCRM, 50 MB to the client.

Please answer with the channel's code (amo.ext.…), its id, its secret, the list of accounts, and the id, client_id and name of the channel's bot.
"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_filled_in_and_shows_what_is_missing() {
        let registration = Registration {
            service: "ShopBot".to_owned(),
            public_url: "https://bridge.example/".to_owned(),
            accounts: vec!["31000001".to_owned(), "31000002".to_owned()],
            email: "ops@shop.example".to_owned(),
            client_id: "12345678-90ab-4cde-8f01-234567890abc".to_owned(),
            widget_code: String::new(),
        };
        for (language, widget) in [
            (RegistrationLanguage::Ru, "9. Код виджета интеграции: ________\n"),
            (RegistrationLanguage::En, "9. Widget code of the integration: ________\n"),
        ] {
            let form = registration_form(&registration, language);
            for filled in [
                "ShopBot",
                "https://bridge.example/hooks/amocrm/<channel_id>/:scope_id\n",
                "31000001, 31000002",
                "ops@shop.example",
                "12345678-90ab-4cde-8f01-234567890abc",
                widget,
            ] {
                assert!(form.contains(filled), "{filled} in {form}");
            }
            for number in 1..=15 {
                assert!(form.contains(&format!("\n{number}. ")), "{number} in {form}");
            }
        }
    }
}
