"""The scenario of clients/README.md, written with aiogram.

Answers a client in a private chat and prints what it saw, one JSON object a line.
Settings come from the environment; clients/README.md lists them.
"""

import asyncio
import hashlib
import json
import os
import signal
from urllib.parse import urlsplit

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
)
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

BALANCE, ORDER, SHARE = "Balance", "Order", "Share my phone"
ALBUM_PAUSE_S = 0.5

MENU = ReplyKeyboardMarkup(
    keyboard=[
        [KeyboardButton(text=BALANCE), KeyboardButton(text=ORDER)],
        [KeyboardButton(text=SHARE, request_contact=True)],
    ],
    resize_keyboard=True,
)
CONFIRM = InlineKeyboardMarkup(
    inline_keyboard=[
        [
            InlineKeyboardButton(text="Yes", callback_data="order:yes"),
            InlineKeyboardButton(text="No", callback_data="order:no"),
        ]
    ]
)

router = Router()


def saw(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


@router.message(CommandStart())
async def start(message: Message, command: CommandObject) -> None:
    saw("start", payload=command.args or "")
    await message.answer("Menu", reply_markup=MENU)


@router.message(Command("copy"), F.reply_to_message)
async def copy(message: Message) -> None:
    await message.reply_to_message.copy_to(message.chat.id, caption="copied")
    saw("copied")


@router.message(Command("forward"), F.reply_to_message)
async def forward(message: Message) -> None:
    forwarded = await message.reply_to_message.forward(message.chat.id)
    saw("forwarded", text=forwarded.text, origin=forwarded.forward_origin.type)


@router.message(Command("lost"))
async def lost(message: Message, bot: Bot) -> None:
    """Writes to a chat that does not exist."""
    try:
        await bot.send_message(1, "anybody there?")
    except TelegramBadRequest as error:
        saw("refused", why=error.message.removeprefix("Bad Request: ").lower())


@router.message(F.text == BALANCE)
async def balance(message: Message) -> None:
    saw("button", text=message.text)
    await message.answer("Your balance: <b>100</b>", parse_mode="HTML")


@router.message(F.text == ORDER)
async def order(message: Message) -> None:
    saw("button", text=message.text)
    await message.answer("Confirm the order?", reply_markup=CONFIRM)


@router.message(F.text)
async def text(message: Message) -> None:
    saw("text", text=message.text)
    await message.reply(f"echo: {message.text}")


@router.message(F.contact)
async def contact(message: Message) -> None:
    shared = message.contact
    saw("contact", phone=shared.phone_number, own=shared.user_id == message.from_user.id)
    await message.answer(f"Thank you, {shared.first_name}")


class Albums:
    """Puts the items of an album together: Telegram sends them one by one and does not say how many."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Message]] = {}

    async def add(self, message: Message) -> list[Message] | None:
        """The whole album for whoever brought its first item, None for the others."""
        if items := self._waiting.get(message.media_group_id):
            items.append(message)
            return None
        items = self._waiting[message.media_group_id] = [message]
        seen = 0
        while seen < len(items):
            seen = len(items)
            await asyncio.sleep(ALBUM_PAUSE_S)
        return self._waiting.pop(message.media_group_id)


@router.message(F.photo, F.media_group_id)
async def album(message: Message, bot: Bot, albums: Albums) -> None:
    items = await albums.add(message)
    if items is None:
        return
    items.sort(key=lambda item: item.message_id)
    saw("album", items=len(items), captions=[item.caption or "" for item in items])
    first = await bot.download(items[0].photo[-1])
    media = [InputMediaPhoto(media=BufferedInputFile(first.read(), "first.jpg"), caption="album back")]
    media += [InputMediaPhoto(media=item.photo[-1].file_id) for item in items[1:]]
    await message.answer_media_group(media)


@router.message(F.photo)
async def photo(message: Message, bot: Bot) -> None:
    largest = message.photo[-1]
    content = (await bot.download(largest)).read()
    saw(
        "photo",
        caption=message.caption or "",
        width=largest.width,
        height=largest.height,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    await message.answer_photo(BufferedInputFile(content, "back.jpg"), caption="photo back")


@router.edited_message(F.text)
async def edited(message: Message) -> None:
    saw("edited", text=message.text)


@router.callback_query(F.data.startswith("order:"))
async def confirm(query: CallbackQuery) -> None:
    saw("callback", data=query.data)
    done = query.data == "order:yes"
    await query.answer("Done" if done else "Cancelled")
    await query.message.edit_text("Order confirmed" if done else "Order cancelled")


async def ready(bot: Bot) -> None:
    saw("ready", bot=(await bot.me()).username)


async def poll(dispatcher: Dispatcher, bot: Bot) -> None:
    # aiogram leaves a webhook in place, and getUpdates would be refused.
    await bot.delete_webhook()
    await dispatcher.start_polling(bot)


async def serve(dispatcher: Dispatcher, bot: Bot) -> None:
    url, secret = os.environ["WEBHOOK_URL"], os.environ.get("WEBHOOK_SECRET")
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, secret_token=secret).register(app, path=urlsplit(url).path)
    setup_application(app, dispatcher, bot=bot)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["WEBHOOK_PORT"])).start()
    await bot.set_webhook(url, secret_token=secret, allowed_updates=dispatcher.resolve_used_update_types())

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await runner.cleanup()


async def main() -> None:
    base = os.environ.get("TELEGRAM_API_BASE", "https://api.telegram.org")
    bot = Bot(os.environ["BOT_TOKEN"], AiohttpSession(api=TelegramAPIServer.from_base(base)))
    dispatcher = Dispatcher(albums=Albums())
    dispatcher.include_router(router)
    dispatcher.startup.register(ready)
    if os.environ.get("MODE", "polling") == "webhook":
        await serve(dispatcher, bot)
    else:
        await poll(dispatcher, bot)
    saw("stopped")


if __name__ == "__main__":
    asyncio.run(main())
