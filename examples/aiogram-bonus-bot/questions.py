"""Questions to a manager, and whatever else a customer writes that no dialogue took."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import Message

from keyboards import MENU, QUESTION

router = Router()
router.message.filter(F.chat.type == "private")


class Question(StatesGroup):
    text = State()


@router.message(F.text == QUESTION)
async def begin(message: Message, state: FSMContext) -> None:
    await state.set_state(Question.text)
    await message.answer("Напишите вопрос одним сообщением.")


@router.message(Question.text, F.text)
async def asked(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer("Вопрос передан. Менеджер ответит здесь.", reply_markup=MENU)


@router.message(F.text | F.caption | F.photo | F.document | F.voice)
async def free(message: Message) -> None:
    await message.answer("Спасибо! Менеджер скоро ответит.")
