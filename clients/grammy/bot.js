/**
 * The scenario of clients/README.md, written with grammY.
 *
 * Answers a client in a private chat and prints what it saw, one JSON object a line.
 * Settings come from the environment; clients/README.md lists them.
 */
"use strict";

const { createHash } = require("node:crypto");
const { createServer } = require("node:http");
const { setTimeout: pause } = require("node:timers/promises");
const {
  Bot,
  GrammyError,
  InlineKeyboard,
  InputFile,
  InputMediaBuilder,
  Keyboard,
  webhookCallback,
} = require("grammy");

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

const menu = new Keyboard().text(BALANCE).text(ORDER).row().requestContact(SHARE).resized();
const confirm = new InlineKeyboard().text("Yes", "order:yes").text("No", "order:no");

const bot = new Bot(BOT_TOKEN, { client: { apiRoot: TELEGRAM_API_BASE } });
const messages = bot.on("message");

function saw(event, fields = {}) {
  console.log(JSON.stringify({ event, ...fields }));
}

/** grammY's core has no download: a file is fetched by the path that getFile gives. */
async function download(fileId) {
  const file = await bot.api.getFile(fileId);
  const answer = await fetch(`${TELEGRAM_API_BASE}/file/bot${BOT_TOKEN}/${file.file_path}`);
  if (!answer.ok) throw new Error(`download of ${file.file_path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

messages.command("start", async (ctx) => {
  saw("start", { payload: ctx.match });
  await ctx.reply("Menu", { reply_markup: menu });
});

messages.command("copy", async (ctx) => {
  const source = ctx.msg.reply_to_message;
  await ctx.api.copyMessage(ctx.chat.id, ctx.chat.id, source.message_id, { caption: "copied" });
  saw("copied");
});

messages.command("forward", async (ctx) => {
  const source = ctx.msg.reply_to_message;
  const forwarded = await ctx.api.forwardMessage(ctx.chat.id, ctx.chat.id, source.message_id);
  saw("forwarded", { text: forwarded.text, origin: forwarded.forward_origin.type });
});

/** Writes to a chat that does not exist. */
messages.command("lost", async (ctx) => {
  try {
    await ctx.api.sendMessage(1, "anybody there?");
  } catch (error) {
    if (!(error instanceof GrammyError) || error.error_code !== 400) throw error;
    saw("refused", { why: error.description.replace("Bad Request: ", "").toLowerCase() });
  }
});

messages.hears(BALANCE, async (ctx) => {
  saw("button", { text: ctx.msg.text });
  await ctx.reply("Your balance: <b>100</b>", { parse_mode: "HTML" });
});

messages.hears(ORDER, async (ctx) => {
  saw("button", { text: ctx.msg.text });
  await ctx.reply("Confirm the order?", { reply_markup: confirm });
});

bot.on("message:text", async (ctx) => {
  saw("text", { text: ctx.msg.text });
  await ctx.reply(`echo: ${ctx.msg.text}`, {
    reply_parameters: { message_id: ctx.msg.message_id },
  });
});

bot.on("message:contact", async (ctx) => {
  const shared = ctx.msg.contact;
  saw("contact", { phone: shared.phone_number, own: shared.user_id === ctx.from.id });
  await ctx.reply(`Thank you, ${shared.first_name}`);
});

/** Items of albums under way: Telegram sends them one by one and does not say how many. */
const albums = new Map();

bot.on("message:photo").filter((ctx) => ctx.msg.media_group_id !== undefined, (ctx) => {
  const group = ctx.msg.media_group_id;
  const items = albums.get(group);
  if (items) {
    items.push(ctx.msg);
  } else {
    albums.set(group, [ctx.msg]);
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
  await bot.api.sendMediaGroup(items[0].chat.id, [
    InputMediaBuilder.photo(new InputFile(first, "first.jpg"), { caption: "album back" }),
    ...items.slice(1).map((item) => InputMediaBuilder.photo(item.photo.at(-1).file_id)),
  ]);
}

bot.on("message:photo", async (ctx) => {
  const largest = ctx.msg.photo.at(-1);
  const content = await download(largest.file_id);
  saw("photo", {
    caption: ctx.msg.caption ?? "",
    width: largest.width,
    height: largest.height,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  await ctx.replyWithPhoto(new InputFile(content, "back.jpg"), { caption: "photo back" });
});

bot.on("edited_message:text", (ctx) => saw("edited", { text: ctx.msg.text }));

bot.callbackQuery(/^order:/, async (ctx) => {
  const { data } = ctx.callbackQuery;
  saw("callback", { data });
  const done = data === "order:yes";
  await ctx.answerCallbackQuery(done ? "Done" : "Cancelled");
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
  const stop = asked().then(() => bot.stop());
  await bot.start({ onStart: (me) => saw("ready", { bot: me.username }) });
  await stop;
}

async function serve() {
  await bot.init();
  saw("ready", { bot: bot.botInfo.username });
  const handle = webhookCallback(bot, "http", { secretToken: WEBHOOK_SECRET });
  const path = new URL(WEBHOOK_URL).pathname;
  const server = createServer((request, response) => {
    if (request.url !== path) return response.writeHead(404).end();
    return handle(request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  await new Promise((resolve) => server.listen(Number(WEBHOOK_PORT), "127.0.0.1", resolve));
  await bot.api.setWebhook(WEBHOOK_URL, { secret_token: WEBHOOK_SECRET });
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
