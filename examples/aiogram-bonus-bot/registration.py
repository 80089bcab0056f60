"""Registration: the customer shares his phone and says how to call him."""

from aiogram import F, Router, html
from aiogram.filters import CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message, ReplyKeyboardRemove

from customers import WELCOME_BONUS, Customers
from keyboards import MENU, SHARE_PHONE

router = Router()
router.message.filter(F.chat.type == "private")


class Registration(StatesGroup):
    phone = State()
    name = State()


@router.message(CommandStart())
async def start(message: Message, command: CommandObject, state: FSMContext, customers: Customers) -> None:
    await state.clear()
    if customer := customers.find(message.from_user.id):
        await message.answer(f"С возвращением, {html.quote(customer.name)}! Чем помочь?", reply_markup=MENU)
        return
    await state.update_data(source=command.args or "")
    await state.set_state(Registration.phone)
    await message.answer(
        "Здравствуйте! Чтобы копить бонусы, поделитесь номером телефона.", reply_markup=SHARE_PHONE
    )


@router.message(Registration.phone, F.contact)
async def phone(message: Message, state: FSMContext) -> None:
    contact = message.contact
    if contact.user_id != message.from_user.id:
        await message.answer("Это чужой контакт. Нажмите кнопку «Поделиться номером».")
        return
    await state.update_data(phone=contact.phone_number)
    await state.set_state(Registration.name)
    await message.answer("Спасибо! Как к вам обращаться?", reply_markup=ReplyKeyboardRemove())


@router.message(Registration.phone)
async def phone_missing(message: Message) -> None:
    await message.answer("Нажмите кнопку «Поделиться номером».", reply_markup=SHARE_PHONE)


@router.message(Registration.name, F.text, ~F.text.startswith("/"))
async def name(message: Message, state: FSMContext, customers: Customers) -> None:
    data = await state.get_data()
    await state.clear()
    customer = customers.register(
        message.from_user.id, message.text.strip()[:64], data["phone"], data["source"]
    )
    await message.answer(
        f"Готово, {html.quote(customer.name)}! Дарим вам <b>{WELCOME_BONUS}</b> бонусов.",
        reply_markup=MENU,
    )


@router.message(Registration.name)
async def name_missing(message: Message) -> None:
    await message.answer("Напишите, пожалуйста, как к вам обращаться.")
