/**
 * The scenario of clients/README.md, written with node-telegram-bot-api 2.
 *
 * Answers a client in a private chat and prints what it saw, one JSON object a line.
 * Settings come from the environment; clients/README.md lists them.
 */
"use strict";

const { createHash } = require("node:crypto");
const { setTimeout: pause } = require("node:timers/promises");
const {
  Bot,
  InlineKeyboardBuilder,
  InputFile,
  ReplyKeyboardBuilder,
  TelegramApiError,
} = require("node-telegram-bot-api");
const { run, startWebhook } = require("node-telegram-bot-api/node");

const {
  BOT_TOKEN,
  MODE = "polling",
  TELEGRAM_API_BASE = "https://api.telegram.org",
  WEBHOOK_PORT,
  WEBHOOK_SECRET,
  WEBHOOK_URL,
} = process.env;

const BALANCE = "Balance";
const ORDER = "Order";
const SHARE = "Share my phone";
const ALBUM_PAUSE_MS = 500;

const menu = new ReplyKeyboardBuilder()
  .text(BALANCE)
  .text(ORDER)
  .row()
  .requestContact(SHARE)
  .build({ resize_keyboard: true });
const confirm = new InlineKeyboardBuilder().text("Yes", "order:yes").text("No", "order:no").build();

const bot = new Bot(BOT_TOKEN, { apiRoot: TELEGRAM_API_BASE });

function saw(event, fields = {}) {
  console.log(JSON.stringify({ event, ...fields }));
}

/** The library has no download: a file is fetched by the path that getFile gives. */
async function download(fileId) {
  const file = await bot.api.getFile({ file_id: fileId });
  const answer = await fetch(`${TELEGRAM_API_BASE}/file/bot${BOT_TOKEN}/${file.file_path}`);
  if (!answer.ok) throw new Error(`download of ${file.file_path}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

bot.command("start", async (ctx) => {
  saw("start", { payload: ctx.match });
  await ctx.reply("Menu", { reply_markup: menu });
});

bot.command("copy", async (ctx) => {
  const chat = ctx.chatId;
  const { message_id } = ctx.message.reply_to_message;
  await ctx.api.copyMessage({ chat_id: chat, from_chat_id: chat, message_id, caption: "copied" });
  saw("copied");
});

bot.command("forward", async (ctx) => {
  const chat = ctx.chatId;
  const { message_id } = ctx.message.reply_to_message;
  const forwarded = await ctx.api.forwardMessage({ chat_id: chat, from_chat_id: chat, message_id });
  saw("forwarded", { text: forwarded.text, origin: forwarded.forward_origin.type });
});

/** Writes to a chat that does not exist. */
bot.command("lost", async (ctx) => {
  try {
    await ctx.api.sendMessage({ chat_id: 1, text: "anybody there?" });
  } catch (error) {
    if (!(error instanceof TelegramApiError) || error.errorCode !== 400) throw error;
    saw("refused", { why: error.description.replace("Bad Request: ", "").toLowerCase() });
  }
});

bot.hears(BALANCE, async (ctx) => {
  saw("button", { text: ctx.match });
  await ctx.reply("Your balance: <b>100</b>", { parse_mode: "HTML" });
});

bot.hears(ORDER, async (ctx) => {
  saw("button", { text: ctx.match });
  await ctx.reply("Confirm the order?", { reply_markup: confirm });
});

bot.on("message", async (ctx, next) => {
  const { text, message_id } = ctx.message;
  if (text === undefined) return next();
  saw("text", { text });
  await ctx.reply(`echo: ${text}`, { reply_parameters: { message_id } });
});

bot.on("message", async (ctx, next) => {
  const shared = ctx.message.contact;
  if (shared === undefined) return next();
  saw("contact", { phone: shared.phone_number, own: shared.user_id === ctx.from.id });
  await ctx.reply(`Thank you, ${shared.first_name}`);
});

/** Items of albums under way: Telegram sends them one by one and does not say how many. */
const albums = new Map();

bot.on("message", async (ctx, next) => {
  const group = ctx.message.media_group_id;
  if (group === undefined) return next();
  const items = albums.get(group);
  if (items) {
    items.push(ctx.message);
  } else {
    albums.set(group, [ctx.message]);
    // Not awaited: the next items come only after this handler returns.
    finishAlbum(group).catch((error) => console.error(error));
  }
});

async function finishAlbum(group) {
  const items = albums.get(group);
  for (let seen = 0; seen < items.length; ) {
    seen = items.length;
    await pause(ALBUM_PAUSE_MS);
  }
  albums.delete(group);
  items.sort((one, other) => one.message_id - other.message_id);
  saw("album", { items: items.length, captions: items.map((item) => item.caption ?? "") });
  const first = new InputFile(await download(items[0].photo.at(-1).file_id), { filename: "first.jpg" });
  await bot.api.sendMediaGroup({
    chat_id: items[0].chat.id,
    media: [
      { type: "photo", media: first, caption: "album back" },
      ...items.slice(1).map((item) => ({ type: "photo", media: item.photo.at(-1).file_id })),
    ],
  });
}

bot.on("message", async (ctx, next) => {
  if (ctx.message.photo === undefined) return next();
  const largest = ctx.message.photo.at(-1);
  const content = await download(largest.file_id);
  saw("photo", {
    caption: ctx.message.caption ?? "",
    width: largest.width,
    height: largest.height,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  const photo = new InputFile(content, { filename: "back.jpg" });
  await ctx.api.sendPhoto({ chat_id: ctx.chatId, photo, caption: "photo back" });
});

bot.on("edited_message", (ctx) => saw("edited", { text: ctx.editedMessage.text }));

bot.on("callback_query", async (ctx) => {
  const { data, message } = ctx.callbackQuery;
  saw("callback", { data });
  const done = data === "order:yes";
  await ctx.answerCallbackQuery({ text: done ? "Done" : "Cancelled" });
  await ctx.api.editMessageText({
    chat_id: message.chat.id,
    message_id: message.message_id,
    text: done ? "Order confirmed" : "Order cancelled",
  });
});

async function serve() {
  saw("ready", { bot: (await bot.api.getMe()).username });
  const serving = startWebhook(bot, {
    port: Number(WEBHOOK_PORT),
    hostname: "127.0.0.1",
    path: new URL(WEBHOOK_URL).pathname,
    secretToken: WEBHOOK_SECRET,
  });
  await bot.api.setWebhook({ url: WEBHOOK_URL, secret_token: WEBHOOK_SECRET });
  await serving;
}

async function poll() {
  saw("ready", { bot: (await bot.api.getMe()).username });
  await run(bot);
}

async function main() {
  await (MODE === "webhook" ? serve() : poll());
  saw("stopped");
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
