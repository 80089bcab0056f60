"""An order: choose a product, say how many, confirm; the customer gets his bonuses."""

from aiogram import F, Router
from aiogram.filters import or_f
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram.utils.keyboard import InlineKeyboardBuilder

from customers import Customers
from keyboards import BUTTONS, ORDER

router = Router()
router.message.filter(F.chat.type == "private")

PRODUCTS = {"beans": ("Кофе в зёрнах, 1 кг", 1800), "drip": ("Дрип-пакеты, 10 шт.", 700)}
BONUS_PERCENT = 5
MAX_PIECES = 20


class Order(StatesGroup):
    product = State()
    pieces = State()
    confirmation = State()


class Choice(CallbackData, prefix="product"):
    code: str


class Decision(CallbackData, prefix="order"):
    confirmed: bool


@router.message(F.text == ORDER)
async def begin(message: Message, state: FSMContext, customers: Customers) -> None:
    if customers.find(message.from_user.id) is None:
        await message.answer("Вы ещё не зарегистрированы. Нажмите /start")
        return
    await state.set_state(Order.product)
    keyboard = InlineKeyboardBuilder()
    for code, (title, price) in PRODUCTS.items():
        keyboard.button(text=f"{title} — {price} ₽", callback_data=Choice(code=code))
    await message.answer("Что закажем?", reply_markup=keyboard.adjust(1).as_markup())


@router.callback_query(Order.product, Choice.filter())
async def product(query: CallbackQuery, callback_data: Choice, state: FSMContext) -> None:
    title, _ = PRODUCTS[callback_data.code]
    await state.update_data(code=callback_data.code)
    await state.set_state(Order.pieces)
    await query.answer()
    await query.message.edit_text(f"{title}. Сколько штук?")


@router.message(Order.pieces, F.text.regexp(r"^\d{1,3}$"))
async def pieces(message: Message, state: FSMContext) -> None:
    count = int(message.text)
    if not 1 <= count <= MAX_PIECES:
        await message.answer(f"Можно заказать от 1 до {MAX_PIECES} штук.")
        return
    data = await state.update_data(pieces=count)
    await state.set_state(Order.confirmation)
    title, price = PRODUCTS[data["code"]]
    keyboard = InlineKeyboardBuilder()
    keyboard.button(text="Подтвердить", callback_data=Decision(confirmed=True))
    keyboard.button(text="Отменить", callback_data=Decision(confirmed=False))
    await message.answer(
        f"{title} × {count} = <b>{price * count} ₽</b>. Всё верно?",
        reply_markup=keyboard.as_markup(),
    )


@router.message(Order.pieces, F.text, ~F.text.in_(BUTTONS), ~F.text.startswith("/"))
async def pieces_missing(message: Message) -> None:
    await message.answer("Напишите количество цифрами или нажмите /cancel")


@router.callback_query(Order.confirmation, Decision.filter(F.confirmed))
async def confirmed(query: CallbackQuery, state: FSMContext, customers: Customers) -> None:
    data = await state.get_data()
    await state.clear()
    title, price = PRODUCTS[data["code"]]
    bonuses = price * data["pieces"] * BONUS_PERCENT // 100
    balance = customers.add_bonuses(query.from_user.id, bonuses)
    await query.answer("Заказ принят")
    await query.message.edit_text(
        f"Заказ принят: {title} × {data['pieces']}. Начислено {bonuses} бонусов, на счёте {balance}."
    )


@router.callback_query(Order.confirmation, Decision.filter(~F.confirmed))
async def declined(query: CallbackQuery, state: FSMContext) -> None:
    await state.clear()
    await query.answer("Заказ отменён")
    await query.message.edit_text("Заказ отменён.")


@router.callback_query(or_f(Choice.filter(), Decision.filter()))
async def outdated(query: CallbackQuery) -> None:
    await query.answer("Эта кнопка устарела, начните заказ заново.", show_alert=True)
