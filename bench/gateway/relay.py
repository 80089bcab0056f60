"""What people write when a bot and a CRM both want the updates of one Telegram bot.

aiogram takes the webhook, a middleware posts every update on to the CRM, and handlers run after it.

relay.py <port> <path> <secret> <address of the CRM>

An update is answered when it was handed on: with aiogram's handle_in_background, its default for one bot,
the answer says nothing about it.
"""

import sys

from aiogram import Bot, Dispatcher
from aiogram.filters import CommandStart
from aiogram.types import Message, Update
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import ClientSession, web

port, path, secret, crm = sys.argv[1:]

dispatcher = Dispatcher()


@dispatcher.startup()
async def open_session(dispatcher: Dispatcher) -> None:
    dispatcher["crm"] = ClientSession()


@dispatcher.shutdown()
async def close_session(dispatcher: Dispatcher) -> None:
    await dispatcher["crm"].close()


@dispatcher.update.outer_middleware()
async def hand_on(handler, event: Update, data):
    update = event.model_dump(mode="json", by_alias=True, exclude_none=True)
    async with data["crm"].post(crm, json=update) as answer:
        answer.raise_for_status()
    return await handler(event, data)


@dispatcher.message(CommandStart())
async def start(message: Message) -> None:
    await message.answer("Hello!")


def main() -> None:
    app = web.Application()
    bot = Bot("7000000001:bench-bench-bench-bench-bench-bench")
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=secret)
    handler.register(app, path=path)
    setup_application(app, dispatcher, bot=bot)
    web.run_app(app, host="127.0.0.1", port=int(port), print=None)


main()
