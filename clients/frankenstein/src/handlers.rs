//! What the bot does with each kind of update.

use std::{fs, thread};

use anyhow::Context;
use frankenstein::{
    Error, ParseMode, TelegramApi,
    client_ureq::Bot,
    input_media::{InputMediaPhoto, MediaGroupInputMedia},
    methods::{
        AnswerCallbackQueryParams, CopyMessageParams, EditMessageTextParams, ForwardMessageParams,
        GetFileParams, SendMediaGroupParams, SendMessageParams, SendPhotoParams,
    },
    types::{
        CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, MaybeInaccessibleMessage,
        Message, MessageOrigin, PhotoSize, ReplyKeyboardMarkup, ReplyMarkup, ReplyParameters,
    },
    updates::{Update, UpdateContent},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::albums::Albums;

const BALANCE: &str = "Balance";
const ORDER: &str = "Order";
const SHARE: &str = "Share my phone";

type Handled = anyhow::Result<()>;

/// Prints one line of what the bot saw.
pub fn saw(event: &str, fields: Value) {
    let mut line = json!({ "event": event });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    println!("{line}");
}

/// The bot and what it needs to answer.
#[derive(Clone)]
pub struct Shop {
    bot: Bot,
    /// Where files are downloaded: frankenstein knows only the methods.
    files: String,
    albums: Albums,
}

impl Shop {
    pub fn new(bot: Bot, files: String) -> Self {
        Self { bot, files, albums: Albums::default() }
    }

    pub fn handle(&self, update: Update) -> Handled {
        match update.content {
            UpdateContent::Message(message) => self.message(*message),
            UpdateContent::EditedMessage(message) => {
                saw("edited", json!({ "text": message.text }));
                Ok(())
            }
            UpdateContent::CallbackQuery(query) => self.confirm(&query),
            _ => Ok(()),
        }
    }

    fn message(&self, message: Message) -> Handled {
        if let Some(text) = &message.text {
            let (command, payload) = text.split_once(' ').unwrap_or((text, ""));
            match (command, &message.reply_to_message) {
                ("/start", _) => self.start(&message, payload),
                ("/copy", Some(source)) => self.copy(&message, source),
                ("/forward", Some(source)) => self.forward(&message, source),
                ("/lost", _) => self.lost(),
                (BALANCE, _) => self.balance(&message),
                (ORDER, _) => self.order(&message),
                _ => self.text(&message, text),
            }
        } else if message.contact.is_some() {
            self.contact(&message)
        } else if message.photo.is_some() {
            match message.media_group_id.clone() {
                Some(group) => self.album_item(&group, message),
                None => self.photo(&message),
            }
        } else {
            Ok(())
        }
    }

    fn say(&self, chat: i64, text: &str, markup: Option<ReplyMarkup>) -> Handled {
        let sent = SendMessageParams::builder().chat_id(chat).text(text).maybe_reply_markup(markup).build();
        self.bot.send_message(&sent)?;
        Ok(())
    }

    fn start(&self, message: &Message, payload: &str) -> Handled {
        saw("start", json!({ "payload": payload }));
        let button = |text: &str| KeyboardButton::builder().text(text).build();
        let share = KeyboardButton::builder().text(SHARE).request_contact(true).build();
        let rows = vec![vec![button(BALANCE), button(ORDER)], vec![share]];
        let menu = ReplyKeyboardMarkup::builder().keyboard(rows).resize_keyboard(true).build();
        self.say(message.chat.id, "Menu", Some(ReplyMarkup::ReplyKeyboardMarkup(menu)))
    }

    fn copy(&self, message: &Message, source: &Message) -> Handled {
        let copy = CopyMessageParams::builder()
            .chat_id(message.chat.id)
            .from_chat_id(message.chat.id)
            .message_id(source.message_id)
            .caption("copied")
            .build();
        self.bot.copy_message(&copy)?;
        saw("copied", json!({}));
        Ok(())
    }

    fn forward(&self, message: &Message, source: &Message) -> Handled {
        let forward = ForwardMessageParams::builder()
            .chat_id(message.chat.id)
            .from_chat_id(message.chat.id)
            .message_id(source.message_id)
            .build();
        let forwarded = self.bot.forward_message(&forward)?.result;
        let origin = match forwarded.forward_origin.as_deref() {
            Some(MessageOrigin::User(_)) => "user",
            Some(_) => "other",
            None => "none",
        };
        saw("forwarded", json!({ "text": forwarded.text, "origin": origin }));
        Ok(())
    }

    /// Writes to a chat that does not exist.
    fn lost(&self) -> Handled {
        let message = SendMessageParams::builder().chat_id(1).text("anybody there?").build();
        match self.bot.send_message(&message) {
            Err(Error::Api(refused)) if refused.error_code == 400 => {
                let why = refused.description.trim_start_matches("Bad Request: ").to_lowercase();
                saw("refused", json!({ "why": why }));
            }
            other => drop(other?),
        }
        Ok(())
    }

    fn balance(&self, message: &Message) -> Handled {
        saw("button", json!({ "text": message.text }));
        let balance = SendMessageParams::builder()
            .chat_id(message.chat.id)
            .text("Your balance: <b>100</b>")
            .parse_mode(ParseMode::Html)
            .build();
        self.bot.send_message(&balance)?;
        Ok(())
    }

    fn order(&self, message: &Message) -> Handled {
        saw("button", json!({ "text": message.text }));
        let button =
            |text: &str, data: &str| InlineKeyboardButton::builder().text(text).callback_data(data).build();
        let row = vec![button("Yes", "order:yes"), button("No", "order:no")];
        let confirm = InlineKeyboardMarkup::builder().inline_keyboard(vec![row]).build();
        self.say(message.chat.id, "Confirm the order?", Some(ReplyMarkup::InlineKeyboardMarkup(confirm)))
    }

    fn text(&self, message: &Message, text: &str) -> Handled {
        saw("text", json!({ "text": text }));
        let echo = SendMessageParams::builder()
            .chat_id(message.chat.id)
            .text(format!("echo: {text}"))
            .reply_parameters(ReplyParameters::builder().message_id(message.message_id).build())
            .build();
        self.bot.send_message(&echo)?;
        Ok(())
    }

    fn contact(&self, message: &Message) -> Handled {
        let shared = message.contact.as_ref().context("a contact")?;
        let from = message.from.as_ref().map(|from| from.id);
        let own = from == shared.user_id;
        saw("contact", json!({ "phone": shared.phone_number, "own": own }));
        self.say(message.chat.id, &format!("Thank you, {}", shared.first_name), None)
    }

    fn album_item(&self, group: &str, message: Message) -> Handled {
        if self.albums.add(group, message) {
            let (shop, group) = (self.clone(), group.to_owned());
            thread::spawn(move || {
                if let Err(error) = shop.album(&shop.albums.finish(&group)) {
                    eprintln!("an album: {error:#}");
                }
            });
        }
        Ok(())
    }

    fn album(&self, items: &[Message]) -> Handled {
        let captions: Vec<&str> = items.iter().map(|item| item.caption.as_deref().unwrap_or("")).collect();
        saw("album", json!({ "items": items.len(), "captions": captions }));
        // Files are uploaded from the disk only.
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("first.jpg");
        let mut media: Vec<MediaGroupInputMedia> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let file_id = largest(item)?.file_id.clone();
            media.push(if index == 0 {
                fs::write(&path, self.download(&file_id)?)?;
                InputMediaPhoto::builder().media(path.clone()).caption("album back").build().into()
            } else {
                InputMediaPhoto::builder().media(file_id).build().into()
            });
        }
        let chat = items.first().context("an album has items")?.chat.id;
        self.bot.send_media_group(&SendMediaGroupParams::builder().chat_id(chat).media(media).build())?;
        Ok(())
    }

    fn photo(&self, message: &Message) -> Handled {
        let largest = largest(message)?;
        let content = self.download(&largest.file_id)?;
        let digest: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        saw(
            "photo",
            json!({
                "caption": message.caption.as_deref().unwrap_or(""),
                "width": largest.width,
                "height": largest.height,
                "size": content.len(),
                "sha256": digest,
            }),
        );
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("back.jpg");
        fs::write(&path, content)?;
        let photo =
            SendPhotoParams::builder().chat_id(message.chat.id).photo(path).caption("photo back").build();
        self.bot.send_photo(&photo)?;
        Ok(())
    }

    fn confirm(&self, query: &CallbackQuery) -> Handled {
        saw("callback", json!({ "data": query.data }));
        let done = query.data.as_deref() == Some("order:yes");
        let answer = AnswerCallbackQueryParams::builder()
            .callback_query_id(&query.id)
            .text(if done { "Done" } else { "Cancelled" })
            .build();
        self.bot.answer_callback_query(&answer)?;
        if let Some(MaybeInaccessibleMessage::Message(message)) = &query.message {
            let edit = EditMessageTextParams::builder()
                .chat_id(message.chat.id)
                .message_id(message.message_id)
                .text(if done { "Order confirmed" } else { "Order cancelled" })
                .build();
            self.bot.edit_message_text(&edit)?;
        }
        Ok(())
    }

    fn download(&self, file_id: &str) -> anyhow::Result<Vec<u8>> {
        let file = self.bot.get_file(&GetFileParams::builder().file_id(file_id).build())?.result;
        let path = file.file_path.context("a file has a path")?;
        Ok(ureq::get(format!("{}/{path}", self.files)).call()?.body_mut().read_to_vec()?)
    }
}

fn largest(message: &Message) -> anyhow::Result<&PhotoSize> {
    message.photo.as_ref().and_then(|sizes| sizes.last()).context("a photo")
}
