"""A shop's bonus bot: registration by phone, a balance, orders, questions.

Start it with BOT_TOKEN in the environment; README.md lists the other settings.
"""

import asyncio
import logging
import os

from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.types import BotCommand

import menu
import orders
import questions
import registration
from customers import Customers


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    api = os.environ.get("TELEGRAM_API_BASE", "https://api.telegram.org")
    bot = Bot(
        os.environ["BOT_TOKEN"],
        session=AiohttpSession(api=TelegramAPIServer.from_base(api)),
        default=DefaultBotProperties(parse_mode=ParseMode.HTML),
    )
    customers = Customers(os.environ.get("BONUS_DB", "bonus.db"))

    dispatcher = Dispatcher(customers=customers)
    # The order matters: whatever nobody before took is a free question.
    dispatcher.include_routers(registration.router, menu.router, orders.router, questions.router)

    try:
        await bot.delete_webhook(drop_pending_updates=True)
        await bot.set_my_commands(
            [
                BotCommand(command="start", description="Главное меню"),
                BotCommand(command="cancel", description="Отменить действие"),
            ]
        )
        await dispatcher.start_polling(bot)
    finally:
        customers.close()


if __name__ == "__main__":
    asyncio.run(main())
