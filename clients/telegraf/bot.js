/**
 * The scenario of clients/README.md, written with telegraf.
 *
 * Answers a client in a private chat and prints what it saw, one JSON object a line.
 * Settings come from the environment; clients/README.md lists them.
 */
"use strict";

const { createHash } = require("node:crypto");
const { createServer } = require("node:http");
const { setTimeout: pause } = require("node:timers/promises");
const { Input, Markup, Telegraf, TelegramError } = require("telegraf");
const { editedMessage, message } = require("telegraf/filters");

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

const menu = Markup.keyboard([[BALANCE, ORDER], [Markup.button.contactRequest(SHARE)]]).resize();
const confirm = Markup.inlineKeyboard([
  Markup.button.callback("Yes", "order:yes"),
  Markup.button.callback("No", "order:no"),
]);

const bot = new Telegraf(BOT_TOKEN, { telegram: { apiRoot: TELEGRAM_API_BASE } });

function saw(event, fields = {}) {
  console.log(JSON.stringify({ event, ...fields }));
}

async function download(fileId) {
  const link = await bot.telegram.getFileLink(fileId);
  const answer = await fetch(link);
  if (!answer.ok) throw new Error(`download of ${fileId}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

bot.start(async (ctx) => {
  saw("start", { payload: ctx.payload });
  await ctx.reply("Menu", menu);
});

bot.command("copy", async (ctx) => {
  const source = ctx.message.reply_to_message;
  await ctx.telegram.copyMessage(ctx.chat.id, ctx.chat.id, source.message_id, { caption: "copied" });
  saw("copied");
});

bot.command("forward", async (ctx) => {
  const source = ctx.message.reply_to_message;
  const forwarded = await ctx.telegram.forwardMessage(ctx.chat.id, ctx.chat.id, source.message_id);
  saw("forwarded", { text: forwarded.text, origin: forwarded.forward_origin.type });
});

/** Writes to a chat that does not exist. */
bot.command("lost", async (ctx) => {
  try {
    await ctx.telegram.sendMessage(1, "anybody there?");
  } catch (error) {
    if (!(error instanceof TelegramError) || error.code !== 400) throw error;
    saw("refused", { why: error.description.replace("Bad Request: ", "").toLowerCase() });
  }
});

bot.hears(BALANCE, async (ctx) => {
  saw("button", { text: ctx.message.text });
  await ctx.replyWithHTML("Your balance: <b>100</b>");
});

bot.hears(ORDER, async (ctx) => {
  saw("button", { text: ctx.message.text });
  await ctx.reply("Confirm the order?", confirm);
});

bot.on(message("text"), async (ctx) => {
  saw("text", { text: ctx.message.text });
  await ctx.reply(`echo: ${ctx.message.text}`, {
    reply_parameters: { message_id: ctx.message.message_id },
  });
});

bot.on(message("contact"), async (ctx) => {
  const shared = ctx.message.contact;
  saw("contact", { phone: shared.phone_number, own: shared.user_id === ctx.from.id });
  await ctx.reply(`Thank you, ${shared.first_name}`);
});

/** Items of albums under way: Telegram sends them one by one and does not say how many. */
const albums = new Map();

bot.on(message("photo", "media_group_id"), (ctx) => {
  const group = ctx.message.media_group_id;
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
  const first = await download(items[0].photo.at(-1).file_id);
  await bot.telegram.sendMediaGroup(items[0].chat.id, [
    { type: "photo", media: Input.fromBuffer(first, "first.jpg"), caption: "album back" },
    ...items.slice(1).map((item) => ({ type: "photo", media: item.photo.at(-1).file_id })),
  ]);
}

bot.on(message("photo"), async (ctx) => {
  const largest = ctx.message.photo.at(-1);
  const content = await download(largest.file_id);
  saw("photo", {
    caption: ctx.message.caption ?? "",
    width: largest.width,
    height: largest.height,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  await ctx.replyWithPhoto(Input.fromBuffer(content, "back.jpg"), { caption: "photo back" });
});

bot.on(editedMessage("text"), (ctx) => saw("edited", { text: ctx.editedMessage.text }));

bot.action(/^order:/, async (ctx) => {
  const { data } = ctx.callbackQuery;
  saw("callback", { data });
  const done = data === "order:yes";
  // With a webhook telegraf says this in its answer to the update, not by a call.
  await ctx.answerCbQuery(done ? "Done" : "Cancelled");
  await ctx.editMessageText(done ? "Order confirmed" : "Order cancelled");
});

/** Resolves on the first signal that asks for an end. */
function asked() {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

async function poll() {
  asked().then(() => bot.stop());
  await bot.launch(() => saw("ready", { bot: bot.botInfo.username }));
}

/** telegraf's own `launch({ webhook })` insists on https; behind a proxy one serves the callback oneself. */
async function serve() {
  bot.botInfo = await bot.telegram.getMe();
  saw("ready", { bot: bot.botInfo.username });
  const path = new URL(WEBHOOK_URL).pathname;
  const server = createServer(bot.webhookCallback(path, { secretToken: WEBHOOK_SECRET }));
  await new Promise((resolve) => server.listen(Number(WEBHOOK_PORT), "127.0.0.1", resolve));
  await bot.telegram.setWebhook(WEBHOOK_URL, { secret_token: WEBHOOK_SECRET });
  await asked();
  server.closeIdleConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function main() {
  await (MODE === "webhook" ? serve() : poll());
  saw("stopped");
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
