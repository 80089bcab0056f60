"""The scenario of clients/README.md, written with pyTelegramBotAPI's asynchronous half.

Answers a client in a private chat and prints what it saw, one JSON object a line.
Settings come from the environment; clients/README.md lists them.
"""

import asyncio
import hashlib
import io
import json
import os
import signal
from urllib.parse import urlsplit

from aiohttp import web
from telebot import asyncio_helper, types, util
from telebot.async_telebot import AsyncTeleBot

BALANCE, ORDER, SHARE = "Balance", "Order", "Share my phone"
ALBUM_PAUSE_S = 0.5

BASE = os.environ.get("TELEGRAM_API_BASE", "https://api.telegram.org")
asyncio_helper.API_URL = BASE + "/bot{0}/{1}"
asyncio_helper.FILE_URL = BASE + "/file/bot{0}/{1}"

MENU = types.ReplyKeyboardMarkup(resize_keyboard=True)
MENU.row(BALANCE, ORDER)
MENU.row(types.KeyboardButton(SHARE, request_contact=True))
CONFIRM = types.InlineKeyboardMarkup()
CONFIRM.row(
    types.InlineKeyboardButton("Yes", callback_data="order:yes"),
    types.InlineKeyboardButton("No", callback_data="order:no"),
)

bot = AsyncTeleBot(os.environ["BOT_TOKEN"])


def saw(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


async def download(file_id: str) -> bytes:
    return await bot.download_file((await bot.get_file(file_id)).file_path)


@bot.message_handler(commands=["start"])
async def start(message: types.Message) -> None:
    saw("start", payload=util.extract_arguments(message.text))
    await bot.send_message(message.chat.id, "Menu", reply_markup=MENU)


@bot.message_handler(commands=["copy"])
async def copy(message: types.Message) -> None:
    source = message.reply_to_message
    await bot.copy_message(message.chat.id, message.chat.id, source.message_id, caption="copied")
    saw("copied")


@bot.message_handler(commands=["forward"])
async def forward(message: types.Message) -> None:
    source = message.reply_to_message
    forwarded = await bot.forward_message(message.chat.id, message.chat.id, source.message_id)
    saw("forwarded", text=forwarded.text, origin=forwarded.forward_origin.type)


@bot.message_handler(commands=["lost"])
async def lost(message: types.Message) -> None:
    """Writes to a chat that does not exist."""
    try:
        await bot.send_message(1, "anybody there?")
    except asyncio_helper.ApiTelegramException as error:
        saw("refused", why=error.description.removeprefix("Bad Request: ").lower())


@bot.message_handler(func=lambda message: message.text == BALANCE)
async def balance(message: types.Message) -> None:
    saw("button", text=message.text)
    await bot.send_message(message.chat.id, "Your balance: <b>100</b>", parse_mode="HTML")


@bot.message_handler(func=lambda message: message.text == ORDER)
async def order(message: types.Message) -> None:
    saw("button", text=message.text)
    await bot.send_message(message.chat.id, "Confirm the order?", reply_markup=CONFIRM)


@bot.message_handler(content_types=["text"])
async def text(message: types.Message) -> None:
    saw("text", text=message.text)
    await bot.reply_to(message, f"echo: {message.text}")


@bot.message_handler(content_types=["contact"])
async def contact(message: types.Message) -> None:
    shared = message.contact
    saw("contact", phone=shared.phone_number, own=shared.user_id == message.from_user.id)
    await bot.send_message(message.chat.id, f"Thank you, {shared.first_name}")


class Albums:
    """Puts the items of an album together: Telegram sends them one by one and does not say how many."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[types.Message]] = {}
        self._tasks: set[asyncio.Task] = set()

    def add(self, message: types.Message) -> None:
        if items := self._waiting.get(message.media_group_id):
            items.append(message)
            return
        self._waiting[message.media_group_id] = [message]
        # Not awaited: a webhook's next item comes only after this one was answered.
        task = asyncio.create_task(self._finish(message.media_group_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, group: str) -> None:
        items, seen = self._waiting[group], 0
        while seen < len(items):
            seen = len(items)
            await asyncio.sleep(ALBUM_PAUSE_S)
        await album(self._waiting.pop(group))


albums = Albums()


async def album(items: list[types.Message]) -> None:
    items.sort(key=lambda item: item.message_id)
    saw("album", items=len(items), captions=[item.caption or "" for item in items])
    first = types.InputFile(io.BytesIO(await download(items[0].photo[-1].file_id)), file_name="first.jpg")
    media = [types.InputMediaPhoto(first, caption="album back")]
    media += [types.InputMediaPhoto(item.photo[-1].file_id) for item in items[1:]]
    await bot.send_media_group(items[0].chat.id, media)


@bot.message_handler(content_types=["photo"], func=lambda message: message.media_group_id)
async def album_item(message: types.Message) -> None:
    albums.add(message)


@bot.message_handler(content_types=["photo"])
async def photo(message: types.Message) -> None:
    largest = message.photo[-1]
    content = await download(largest.file_id)
    saw(
        "photo",
        caption=message.caption or "",
        width=largest.width,
        height=largest.height,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    await bot.send_photo(message.chat.id, content, caption="photo back")


@bot.edited_message_handler(content_types=["text"])
async def edited(message: types.Message) -> None:
    saw("edited", text=message.text)


@bot.callback_query_handler(func=lambda query: query.data.startswith("order:"))
async def confirm(query: types.CallbackQuery) -> None:
    saw("callback", data=query.data)
    done = query.data == "order:yes"
    await bot.answer_callback_query(query.id, "Done" if done else "Cancelled")
    words = "Order confirmed" if done else "Order cancelled"
    await bot.edit_message_text(words, query.message.chat.id, query.message.message_id)


async def take(request: web.Request) -> web.Response:
    secret = os.environ.get("WEBHOOK_SECRET")
    if secret is not None and request.headers.get("X-Telegram-Bot-Api-Secret-Token") != secret:
        return web.Response(status=403)
    await bot.process_new_updates([types.Update.de_json(await request.json())])
    return web.Response()


def asked() -> asyncio.Event:
    """Set on the first signal that asks for an end."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


async def serve() -> None:
    saw("ready", bot=(await bot.get_me()).username)
    app = web.Application()
    app.router.add_post(urlsplit(os.environ["WEBHOOK_URL"]).path, take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["WEBHOOK_PORT"])).start()
    await bot.set_webhook(os.environ["WEBHOOK_URL"], secret_token=os.environ.get("WEBHOOK_SECRET"))
    await asked().wait()
    await runner.cleanup()


async def poll() -> None:
    stop = asked()
    # pyTelegramBotAPI leaves a webhook in place, and getUpdates would be refused.
    await bot.remove_webhook()
    saw("ready", bot=(await bot.get_me()).username)
    polling = asyncio.create_task(bot.infinity_polling())
    await stop.wait()
    polling.cancel()
    await asyncio.wait([polling])


async def main() -> None:
    if os.environ.get("MODE", "polling") == "webhook":
        await serve()
    else:
        await poll()
    await bot.close_session()
    saw("stopped")


if __name__ == "__main__":
    asyncio.run(main())
