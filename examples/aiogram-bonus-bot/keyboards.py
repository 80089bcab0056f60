"""Keyboards that several dialogues show."""

from aiogram.types import KeyboardButton, ReplyKeyboardMarkup

BALANCE = "Баланс"
ORDER = "Заказать"
QUESTION = "Вопрос менеджеру"
ABOUT = "О нас"
BUTTONS = (BALANCE, ORDER, QUESTION, ABOUT)

MENU = ReplyKeyboardMarkup(
    keyboard=[
        [KeyboardButton(text=BALANCE), KeyboardButton(text=ORDER)],
        [KeyboardButton(text=QUESTION), KeyboardButton(text=ABOUT)],
    ],
    resize_keyboard=True,
)

SHARE_PHONE = ReplyKeyboardMarkup(
    keyboard=[[KeyboardButton(text="Поделиться номером", request_contact=True)]],
    resize_keyboard=True,
    one_time_keyboard=True,
)
