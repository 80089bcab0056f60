//! The one line to change in a program, for each client library (reference: Bot API client libraries).

use super::LibraryLine;

/// Library, language, line; `GW` stands for the gateway's address.
const LINES: [(&str, &str, &str); 16] = [
    ("aiogram", "Python", r#"Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base("GW")))"#),
    (
        "python-telegram-bot",
        "Python",
        r#"ApplicationBuilder().token(token).base_url("GW/bot").base_file_url("GW/file/bot")"#,
    ),
    (
        "pyTelegramBotAPI",
        "Python",
        r#"telebot.apihelper.API_URL = "GW/bot{0}/{1}"; telebot.apihelper.FILE_URL = "GW/file/bot{0}/{1}""#,
    ),
    (
        "pyTelegramBotAPI, asyncio",
        "Python",
        r#"asyncio_helper.API_URL = "GW/bot{0}/{1}"; asyncio_helper.FILE_URL = "GW/file/bot{0}/{1}""#,
    ),
    ("telegraf", "JavaScript", r#"new Telegraf(token, { telegram: { apiRoot: "GW" } })"#),
    ("grammY", "JavaScript", r#"new Bot(token, { client: { apiRoot: "GW" } })"#),
    (
        "node-telegram-bot-api 1",
        "JavaScript",
        r#"new TelegramBot(token, { baseApiUrl: "GW", polling: true })"#,
    ),
    ("node-telegram-bot-api 2", "JavaScript", r#"new Bot(token, { apiRoot: "GW" })"#),
    ("GramIO", "JavaScript", r#"new Bot(token, { api: { baseURL: "GW/bot" } })"#),
    ("teloxide", "Rust", r#"Bot::new(token).set_api_url(Url::parse("GW")?)"#),
    ("frankenstein", "Rust", r#"Bot::new_url(format!("GW/bot{token}"))"#),
    ("go-telegram/bot", "Go", r#"bot.New(token, bot.WithServerURL("GW"))"#),
    ("go-telegram-bot-api", "Go", r#"tgbotapi.NewBotAPIWithAPIEndpoint(token, "GW/bot%s/%s")"#),
    (
        "telebot",
        "Go",
        r#"tele.Settings{Token: token, URL: "GW", Poller: &tele.LongPoller{Timeout: 10 * time.Second}}"#,
    ),
    ("telego", "Go", r#"telego.NewBot(token, telego.WithAPIServer("GW"))"#),
    (
        "longman/telegram-bot",
        "PHP",
        "Request::setCustomBotApiUri('GW', '/file/bot{API_KEY}'); // before the Telegram object is made",
    ),
];

/// The lines for a gateway at this address.
pub(crate) fn lines(gateway_url: &str) -> Vec<LibraryLine> {
    let gateway = gateway_url.trim_end_matches('/');
    LINES
        .iter()
        .map(|&(library, language, line)| LibraryLine {
            library: library.to_owned(),
            language: language.to_owned(),
            line: line.replace("GW", gateway),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_has_its_line_with_the_gateway_in_it() {
        let lines = lines("http://127.0.0.1:8080/");
        assert_eq!(lines.len(), 16);
        for LibraryLine { library, line, .. } in &lines {
            assert!(line.contains("http://127.0.0.1:8080"), "{library}");
            assert!(!line.contains("GW") && !line.contains("8080//"), "{library}");
        }
    }
}
