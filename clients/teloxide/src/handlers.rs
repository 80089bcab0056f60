//! What the bot does with each kind of update.

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use teloxide::{
    ApiError, RequestError,
    dispatching::UpdateHandler,
    net::Download,
    prelude::*,
    sugar::request::RequestReplyExt,
    types::{
        ButtonRequest, Contact, FileId, InlineKeyboardButton, InlineKeyboardMarkup, InputFile, InputMedia,
        InputMediaPhoto, KeyboardButton, KeyboardMarkup, MessageOrigin, ParseMode,
    },
    utils::command::BotCommands,
};

use crate::albums::Albums;

const BALANCE: &str = "Balance";
const ORDER: &str = "Order";
const SHARE: &str = "Share my phone";

type Handled = anyhow::Result<()>;

#[derive(BotCommands, Clone)]
#[command(rename_rule = "lowercase")]
enum Command {
    Start(String),
    Copy,
    Forward,
    Lost,
}

/// Prints one line of what the bot saw.
pub fn saw(event: &str, fields: Value) {
    let mut line = json!({ "event": event });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    println!("{line}");
}

/// Which handler gets which update.
pub fn schema() -> UpdateHandler<anyhow::Error> {
    dptree::entry()
        .branch(
            Update::filter_message()
                .branch(dptree::entry().filter_command::<Command>().endpoint(command))
                .branch(pressed(BALANCE).endpoint(balance))
                .branch(pressed(ORDER).endpoint(order))
                .branch(Message::filter_text().endpoint(text))
                .branch(Message::filter_contact().endpoint(contact))
                .branch(
                    dptree::filter(|message: Message| {
                        message.photo().is_some() && message.media_group_id().is_some()
                    })
                    .endpoint(album_item),
                )
                .branch(Message::filter_photo().endpoint(photo)),
        )
        .branch(Update::filter_edited_message().chain(Message::filter_text()).endpoint(edited))
        .branch(Update::filter_callback_query().endpoint(confirm))
}

fn pressed(button: &'static str) -> UpdateHandler<anyhow::Error> {
    dptree::filter(move |message: Message| message.text() == Some(button))
}

async fn command(bot: Bot, message: Message, command: Command) -> Handled {
    let chat = message.chat.id;
    match (command, message.reply_to_message()) {
        (Command::Start(payload), _) => {
            saw("start", json!({ "payload": payload }));
            let menu = KeyboardMarkup::new([
                vec![KeyboardButton::new(BALANCE), KeyboardButton::new(ORDER)],
                vec![KeyboardButton::new(SHARE).request(ButtonRequest::Contact)],
            ]);
            bot.send_message(chat, "Menu").reply_markup(menu.resize_keyboard()).await?;
        }
        (Command::Copy, Some(source)) => {
            bot.copy_message(chat, chat, source.id).caption("copied").await?;
            saw("copied", json!({}));
        }
        (Command::Forward, Some(source)) => {
            let forwarded = bot.forward_message(chat, chat, source.id).await?;
            let origin = match forwarded.forward_origin() {
                Some(MessageOrigin::User { .. }) => "user",
                Some(_) => "other",
                None => "none",
            };
            saw("forwarded", json!({ "text": forwarded.text(), "origin": origin }));
        }
        (Command::Lost, _) => match bot.send_message(ChatId(1), "anybody there?").await {
            Err(RequestError::Api(ApiError::ChatNotFound)) => {
                saw("refused", json!({ "why": "chat not found" }));
            }
            other => drop(other?),
        },
        (Command::Copy | Command::Forward, None) => {}
    }
    Ok(())
}

async fn balance(bot: Bot, message: Message) -> Handled {
    saw("button", json!({ "text": message.text() }));
    bot.send_message(message.chat.id, "Your balance: <b>100</b>").parse_mode(ParseMode::Html).await?;
    Ok(())
}

async fn order(bot: Bot, message: Message) -> Handled {
    saw("button", json!({ "text": message.text() }));
    let confirm = InlineKeyboardMarkup::new([[
        InlineKeyboardButton::callback("Yes", "order:yes"),
        InlineKeyboardButton::callback("No", "order:no"),
    ]]);
    bot.send_message(message.chat.id, "Confirm the order?").reply_markup(confirm).await?;
    Ok(())
}

async fn text(bot: Bot, message: Message, text: String) -> Handled {
    saw("text", json!({ "text": text }));
    bot.send_message(message.chat.id, format!("echo: {text}")).reply_to(message).await?;
    Ok(())
}

async fn edited(text: String) -> Handled {
    saw("edited", json!({ "text": text }));
    Ok(())
}

async fn contact(bot: Bot, message: Message, shared: Contact) -> Handled {
    let own = message.from.map(|from| from.id) == shared.user_id;
    saw("contact", json!({ "phone": shared.phone_number, "own": own }));
    bot.send_message(message.chat.id, format!("Thank you, {}", shared.first_name)).await?;
    Ok(())
}

async fn album_item(bot: Bot, message: Message, albums: Albums) -> Handled {
    let group = message.media_group_id().cloned().context("an album's item without a group")?;
    if albums.add(&group, message) {
        // Spawned: the dispatcher gives a chat's next update only after this handler returns.
        tokio::spawn(async move {
            if let Err(error) = album(bot, albums.finish(&group).await).await {
                saw("error", json!({ "error": format!("{error:#}") }));
            }
        });
    }
    Ok(())
}

async fn album(bot: Bot, items: Vec<Message>) -> Handled {
    let captions: Vec<&str> = items.iter().map(|item| item.caption().unwrap_or("")).collect();
    saw("album", json!({ "items": items.len(), "captions": captions }));
    let mut media = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let file = &item.photo().and_then(|sizes| sizes.last()).context("a photo")?.file;
        media.push(InputMedia::Photo(if index == 0 {
            let first = InputFile::memory(download(&bot, &file.id).await?).file_name("first.jpg");
            InputMediaPhoto::new(first).caption("album back")
        } else {
            InputMediaPhoto::new(InputFile::file_id(file.id.clone()))
        }));
    }
    let chat = items.first().context("an album has items")?.chat.id;
    bot.send_media_group(chat, media).await?;
    Ok(())
}

async fn photo(bot: Bot, message: Message) -> Handled {
    let largest = message.photo().and_then(|sizes| sizes.last()).context("a photo")?;
    let content = download(&bot, &largest.file.id).await?;
    let digest: String = Sha256::digest(&content).iter().map(|b| format!("{b:02x}")).collect();
    saw(
        "photo",
        json!({
            "caption": message.caption().unwrap_or(""),
            "width": largest.width,
            "height": largest.height,
            "size": content.len(),
            "sha256": digest,
        }),
    );
    bot.send_photo(message.chat.id, InputFile::memory(content).file_name("back.jpg"))
        .caption("photo back")
        .await?;
    Ok(())
}

async fn confirm(bot: Bot, query: CallbackQuery) -> Handled {
    saw("callback", json!({ "data": query.data }));
    let done = query.data.as_deref() == Some("order:yes");
    bot.answer_callback_query(query.id.clone()).text(if done { "Done" } else { "Cancelled" }).await?;
    if let Some(message) = query.regular_message() {
        let text = if done { "Order confirmed" } else { "Order cancelled" };
        bot.edit_message_text(message.chat.id, message.id, text).await?;
    }
    Ok(())
}

async fn download(bot: &Bot, id: &FileId) -> anyhow::Result<Vec<u8>> {
    let file = bot.get_file(id.clone()).await?;
    let mut content = Vec::new();
    bot.download_file(&file.path, &mut content).await?;
    Ok(content)
}
