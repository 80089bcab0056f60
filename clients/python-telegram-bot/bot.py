"""The scenario of clients/README.md, written with python-telegram-bot.

Answers a client in a private chat and prints what it saw, one JSON object a line.
Settings come from the environment; clients/README.md lists them.
"""

import asyncio
import hashlib
import json
import os
from urllib.parse import urlsplit

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    Update,
)
from telegram.error import BadRequest
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    MessageHandler,
    filters,
)

BALANCE, ORDER, SHARE = "Balance", "Order", "Share my phone"
ALBUM_PAUSE_S = 0.5

MENU = ReplyKeyboardMarkup(
    [[BALANCE, ORDER], [KeyboardButton(SHARE, request_contact=True)]], resize_keyboard=True
)
CONFIRM = InlineKeyboardMarkup(
    [
        [
            InlineKeyboardButton("Yes", callback_data="order:yes"),
            InlineKeyboardButton("No", callback_data="order:no"),
        ]
    ]
)


class InAlbum(filters.MessageFilter):
    """The library has no filter of its own for items of an album."""

    def filter(self, message: Message) -> bool:
        return message.media_group_id is not None


IN_ALBUM = InAlbum()
Context = ContextTypes.DEFAULT_TYPE


def saw(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


async def start(update: Update, context: Context) -> None:
    saw("start", payload=" ".join(context.args))
    await update.effective_message.reply_text("Menu", reply_markup=MENU)


async def copy(update: Update, context: Context) -> None:
    await update.effective_message.reply_to_message.copy(update.effective_chat.id, caption="copied")
    saw("copied")


async def forward(update: Update, context: Context) -> None:
    forwarded = await update.effective_message.reply_to_message.forward(update.effective_chat.id)
    saw("forwarded", text=forwarded.text, origin=forwarded.forward_origin.type)


async def lost(update: Update, context: Context) -> None:
    """Writes to a chat that does not exist."""
    try:
        await context.bot.send_message(1, "anybody there?")
    except BadRequest as error:
        saw("refused", why=error.message.lower())


async def balance(update: Update, context: Context) -> None:
    saw("button", text=update.effective_message.text)
    await update.effective_message.reply_html("Your balance: <b>100</b>")


async def order(update: Update, context: Context) -> None:
    saw("button", text=update.effective_message.text)
    await update.effective_message.reply_text("Confirm the order?", reply_markup=CONFIRM)


async def text(update: Update, context: Context) -> None:
    message = update.effective_message
    saw("text", text=message.text)
    await message.reply_text(f"echo: {message.text}", do_quote=True)


async def edited(update: Update, context: Context) -> None:
    saw("edited", text=update.effective_message.text)


async def contact(update: Update, context: Context) -> None:
    shared = update.effective_message.contact
    saw("contact", phone=shared.phone_number, own=shared.user_id == update.effective_user.id)
    await update.effective_message.reply_text(f"Thank you, {shared.first_name}")


async def album_item(update: Update, context: Context) -> None:
    """Collects an album: Telegram sends its items one by one and does not say how many."""
    message = update.effective_message
    albums: dict[str, list[Message]] = context.bot_data.setdefault("albums", {})
    items = albums.setdefault(message.media_group_id, [])
    items.append(message)
    if len(items) == 1:
        context.application.create_task(album(items, message.media_group_id, context), update)


async def album(items: list[Message], group: str, context: Context) -> None:
    seen = 0
    while seen < len(items):
        seen = len(items)
        await asyncio.sleep(ALBUM_PAUSE_S)
    del context.bot_data["albums"][group]
    items.sort(key=lambda item: item.message_id)
    saw("album", items=len(items), captions=[item.caption or "" for item in items])
    first = await (await items[0].photo[-1].get_file()).download_as_bytearray()
    media = [InputMediaPhoto(bytes(first), caption="album back", filename="first.jpg")]
    media += [InputMediaPhoto(item.photo[-1].file_id) for item in items[1:]]
    await items[0].reply_media_group(media)


async def photo(update: Update, context: Context) -> None:
    message = update.effective_message
    largest = message.photo[-1]
    content = bytes(await (await largest.get_file()).download_as_bytearray())
    saw(
        "photo",
        caption=message.caption or "",
        width=largest.width,
        height=largest.height,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    await message.reply_photo(content, caption="photo back", filename="back.jpg")


async def confirm(update: Update, context: Context) -> None:
    query = update.callback_query
    saw("callback", data=query.data)
    done = query.data == "order:yes"
    await query.answer("Done" if done else "Cancelled")
    await query.edit_message_text("Order confirmed" if done else "Order cancelled")


async def ready(application: Application) -> None:
    saw("ready", bot=application.bot.username)


def main() -> None:
    base = os.environ.get("TELEGRAM_API_BASE", "https://api.telegram.org")
    application = (
        ApplicationBuilder()
        .token(os.environ["BOT_TOKEN"])
        .base_url(f"{base}/bot")
        .base_file_url(f"{base}/file/bot")
        .post_init(ready)
        .build()
    )
    new = filters.UpdateType.MESSAGE
    application.add_handlers(
        [
            CommandHandler("start", start, new),
            CommandHandler("copy", copy, new & filters.REPLY),
            CommandHandler("forward", forward, new & filters.REPLY),
            CommandHandler("lost", lost, new),
            MessageHandler(new & filters.Text([BALANCE]), balance),
            MessageHandler(new & filters.Text([ORDER]), order),
            MessageHandler(new & filters.TEXT, text),
            MessageHandler(new & filters.CONTACT, contact),
            MessageHandler(new & filters.PHOTO & IN_ALBUM, album_item),
            MessageHandler(new & filters.PHOTO, photo),
            MessageHandler(filters.UpdateType.EDITED_MESSAGE & filters.TEXT, edited),
            CallbackQueryHandler(confirm, pattern="^order:"),
        ]
    )
    if os.environ.get("MODE", "polling") == "webhook":
        url = os.environ["WEBHOOK_URL"]
        application.run_webhook(
            listen="127.0.0.1",
            port=int(os.environ["WEBHOOK_PORT"]),
            url_path=urlsplit(url).path,
            webhook_url=url,
            secret_token=os.environ.get("WEBHOOK_SECRET"),
        )
    else:
        application.run_polling()
    saw("stopped")


if __name__ == "__main__":
    main()
