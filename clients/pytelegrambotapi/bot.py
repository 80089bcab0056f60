"""The scenario of clients/README.md, written with pyTelegramBotAPI.

Answers a client in a private chat and prints what it saw, one JSON object a line.
Settings come from the environment; clients/README.md lists them.
"""

import hashlib
import io
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import telebot
from telebot import apihelper, types

BALANCE, ORDER, SHARE = "Balance", "Order", "Share my phone"
ALBUM_PAUSE_S = 0.5

BASE = os.environ.get("TELEGRAM_API_BASE", "https://api.telegram.org")
apihelper.API_URL = BASE + "/bot{0}/{1}"
apihelper.FILE_URL = BASE + "/file/bot{0}/{1}"

MENU = types.ReplyKeyboardMarkup(resize_keyboard=True)
MENU.row(BALANCE, ORDER)
MENU.row(types.KeyboardButton(SHARE, request_contact=True))
CONFIRM = types.InlineKeyboardMarkup()
CONFIRM.row(
    types.InlineKeyboardButton("Yes", callback_data="order:yes"),
    types.InlineKeyboardButton("No", callback_data="order:no"),
)

# By default two threads take the updates, and the order is lost.
bot = telebot.TeleBot(os.environ["BOT_TOKEN"], num_threads=1)


def saw(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


def download(file_id: str) -> bytes:
    return bot.download_file(bot.get_file(file_id).file_path)


@bot.message_handler(commands=["start"])
def start(message: types.Message) -> None:
    saw("start", payload=telebot.util.extract_arguments(message.text))
    bot.send_message(message.chat.id, "Menu", reply_markup=MENU)


@bot.message_handler(commands=["copy"])
def copy(message: types.Message) -> None:
    source = message.reply_to_message
    bot.copy_message(message.chat.id, message.chat.id, source.message_id, caption="copied")
    saw("copied")


@bot.message_handler(commands=["forward"])
def forward(message: types.Message) -> None:
    source = message.reply_to_message
    forwarded = bot.forward_message(message.chat.id, message.chat.id, source.message_id)
    saw("forwarded", text=forwarded.text, origin=forwarded.forward_origin.type)


@bot.message_handler(commands=["lost"])
def lost(message: types.Message) -> None:
    """Writes to a chat that does not exist."""
    try:
        bot.send_message(1, "anybody there?")
    except apihelper.ApiTelegramException as error:
        saw("refused", why=error.description.removeprefix("Bad Request: ").lower())


@bot.message_handler(func=lambda message: message.text == BALANCE)
def balance(message: types.Message) -> None:
    saw("button", text=message.text)
    bot.send_message(message.chat.id, "Your balance: <b>100</b>", parse_mode="HTML")


@bot.message_handler(func=lambda message: message.text == ORDER)
def order(message: types.Message) -> None:
    saw("button", text=message.text)
    bot.send_message(message.chat.id, "Confirm the order?", reply_markup=CONFIRM)


@bot.message_handler(content_types=["text"])
def text(message: types.Message) -> None:
    saw("text", text=message.text)
    bot.reply_to(message, f"echo: {message.text}")


@bot.message_handler(content_types=["contact"])
def contact(message: types.Message) -> None:
    shared = message.contact
    saw("contact", phone=shared.phone_number, own=shared.user_id == message.from_user.id)
    bot.send_message(message.chat.id, f"Thank you, {shared.first_name}")


class Albums:
    """Puts the items of an album together: Telegram sends them one by one and does not say how many."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[types.Message]] = {}

    def add(self, message: types.Message) -> None:
        items = self._waiting.setdefault(message.media_group_id, [])
        items.append(message)
        if len(items) == 1:
            self._look_later(message.media_group_id, seen=1)

    def _look_later(self, group: str, seen: int) -> None:
        threading.Timer(ALBUM_PAUSE_S, self._look, [group, seen]).start()

    def _look(self, group: str, seen: int) -> None:
        now = len(self._waiting[group])
        if now == seen:
            album(self._waiting.pop(group))
        else:
            self._look_later(group, now)


albums = Albums()


def album(items: list[types.Message]) -> None:
    items.sort(key=lambda item: item.message_id)
    saw("album", items=len(items), captions=[item.caption or "" for item in items])
    first = types.InputFile(io.BytesIO(download(items[0].photo[-1].file_id)), file_name="first.jpg")
    media = [types.InputMediaPhoto(first, caption="album back")]
    media += [types.InputMediaPhoto(item.photo[-1].file_id) for item in items[1:]]
    bot.send_media_group(items[0].chat.id, media)


@bot.message_handler(content_types=["photo"], func=lambda message: message.media_group_id)
def album_item(message: types.Message) -> None:
    albums.add(message)


@bot.message_handler(content_types=["photo"])
def photo(message: types.Message) -> None:
    largest = message.photo[-1]
    content = download(largest.file_id)
    saw(
        "photo",
        caption=message.caption or "",
        width=largest.width,
        height=largest.height,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    bot.send_photo(message.chat.id, content, caption="photo back")


@bot.edited_message_handler(content_types=["text"])
def edited(message: types.Message) -> None:
    saw("edited", text=message.text)


@bot.callback_query_handler(func=lambda query: query.data.startswith("order:"))
def confirm(query: types.CallbackQuery) -> None:
    saw("callback", data=query.data)
    done = query.data == "order:yes"
    bot.answer_callback_query(query.id, "Done" if done else "Cancelled")
    words = "Order confirmed" if done else "Order cancelled"
    bot.edit_message_text(words, query.message.chat.id, query.message.message_id)


class Webhook(BaseHTTPRequestHandler):
    """The library's own example of a webhook, by the standard library."""

    def do_POST(self) -> None:
        secret = os.environ.get("WEBHOOK_SECRET")
        known = secret is None or self.headers.get("X-Telegram-Bot-Api-Secret-Token") == secret
        if self.path != urlsplit(os.environ["WEBHOOK_URL"]).path or not known:
            self.send_error(403)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        bot.process_new_updates([types.Update.de_json(body.decode())])

    def log_message(self, *_: object) -> None:
        """Prints nothing: standard error is for what went wrong."""


def poll() -> None:
    # pyTelegramBotAPI leaves a webhook in place, and getUpdates would be refused.
    bot.remove_webhook()
    saw("ready", bot=bot.get_me().username)
    bot.infinity_polling()


def serve() -> None:
    address = ("127.0.0.1", int(os.environ["WEBHOOK_PORT"]))
    saw("ready", bot=bot.get_me().username)
    server = ThreadingHTTPServer(address, Webhook)
    bot.set_webhook(os.environ["WEBHOOK_URL"], secret_token=os.environ.get("WEBHOOK_SECRET"))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def main() -> None:
    # A supervisor's SIGTERM ends it as Ctrl-C does: the library knows only that.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.environ.get("MODE", "polling") == "webhook":
        serve()
    else:
        poll()
    saw("stopped")


if __name__ == "__main__":
    main()
