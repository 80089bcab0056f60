"""The main menu's short answers, and the way out of any dialogue."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message

from customers import Customers
from keyboards import ABOUT, BALANCE, MENU

router = Router()
router.message.filter(F.chat.type == "private")


@router.message(Command("cancel"))
async def cancel(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer("Хорошо, отменили.", reply_markup=MENU)


@router.message(F.text == BALANCE)
async def balance(message: Message, state: FSMContext, customers: Customers) -> None:
    await state.clear()
    customer = customers.find(message.from_user.id)
    if customer is None:
        await message.answer("Вы ещё не зарегистрированы. Нажмите /start")
        return
    await message.answer(f"На вашем счёте <b>{customer.balance}</b> бонусов.")


@router.message(F.text == ABOUT)
async def about(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer("Кофейня «Зерно». Открыты каждый день с 8 до 22. Бонусы: 5 % с заказа.")
