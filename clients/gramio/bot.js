/**
 * The scenario of clients/README.md, written with GramIO.
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
  InlineKeyboard,
  Keyboard,
  MediaInput,
  MediaUpload,
  TelegramError,
  webhookHandler,
} = require("gramio");

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

const bot = new Bot(BOT_TOKEN, { api: { baseURL: `${TELEGRAM_API_BASE}/bot` } });

function saw(event, fields = {}) {
  console.log(JSON.stringify({ event, ...fields }));
}

bot.command("start", async (context) => {
  saw("start", { payload: context.args ?? "" });
  await context.send("Menu", { reply_markup: menu });
});

bot.command("copy", async (context) => {
  const { chatId, replyMessage: source } = context;
  await bot.api.copyMessage({
    chat_id: chatId,
    from_chat_id: chatId,
    message_id: source.id,
    caption: "copied",
  });
  saw("copied");
});

bot.command("forward", async (context) => {
  const { chatId, replyMessage: source } = context;
  const forwarded = await bot.api.forwardMessage({
    chat_id: chatId,
    from_chat_id: chatId,
    message_id: source.id,
  });
  saw("forwarded", { text: forwarded.text, origin: forwarded.forward_origin.type });
});

/** Writes to a chat that does not exist. */
bot.command("lost", async () => {
  try {
    await bot.api.sendMessage({ chat_id: 1, text: "anybody there?" });
  } catch (error) {
    if (!(error instanceof TelegramError) || error.code !== 400) throw error;
    saw("refused", { why: error.message.replace("Bad Request: ", "").toLowerCase() });
  }
});

bot.hears(BALANCE, async (context) => {
  saw("button", { text: context.text });
  await context.send("Your balance: <b>100</b>", { parse_mode: "HTML" });
});

bot.hears(ORDER, async (context) => {
  saw("button", { text: context.text });
  await context.send("Confirm the order?", { reply_markup: confirm });
});

/** Items of albums under way: Telegram sends them one by one and does not say how many. */
const albums = new Map();

bot.on("message", async (context) => {
  if (context.text !== undefined) {
    saw("text", { text: context.text });
    await context.reply(`echo: ${context.text}`);
  } else if (context.contact !== undefined) {
    const shared = context.contact;
    saw("contact", { phone: shared.phoneNumber, own: shared.userId === context.from.id });
    await context.send(`Thank you, ${shared.firstName}`);
  } else if (context.mediaGroupId !== undefined) {
    await albumItem(context);
  } else if (context.photo !== undefined) {
    await photo(context);
  }
});

async function photo(context) {
  const largest = context.photo.at(-1);
  const content = Buffer.from(await bot.downloadFile(largest));
  saw("photo", {
    caption: context.caption ?? "",
    width: largest.width,
    height: largest.height,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  await context.sendPhoto(MediaUpload.buffer(content, "back.jpg"), { caption: "photo back" });
}

/** Takes an item in; with the first one, waits for the others and answers. */
async function albumItem(context) {
  const group = context.mediaGroupId;
  if (albums.has(group)) {
    albums.get(group).push(context);
    return;
  }
  const items = [context];
  albums.set(group, items);
  for (let seen = 0; seen < items.length; ) {
    seen = items.length;
    await pause(ALBUM_PAUSE_MS);
  }
  albums.delete(group);
  items.sort((one, other) => one.id - other.id);
  saw("album", { items: items.length, captions: items.map((item) => item.caption ?? "") });
  const first = await bot.downloadFile(items[0].photo.at(-1));
  await context.sendMediaGroup([
    MediaInput.photo(MediaUpload.buffer(first, "first.jpg"), { caption: "album back" }),
    ...items.slice(1).map((item) => MediaInput.photo(item.photo.at(-1).fileId)),
  ]);
}

bot.on("edited_message", (context) => saw("edited", { text: context.text }));

bot.callbackQuery(/^order:/, async (context) => {
  const { data } = context;
  saw("callback", { data });
  const done = data === "order:yes";
  await context.answer(done ? "Done" : "Cancelled");
  await context.editText(done ? "Order confirmed" : "Order cancelled");
});

async function main() {
  const handle = webhookHandler(bot, "http", WEBHOOK_SECRET);
  const server = createServer((request, response) => {
    if (request.url === new URL(WEBHOOK_URL).pathname) return handle(request, response);
    return response.writeHead(404).end();
  });
  await bot.init();
  saw("ready", { bot: bot.info.username });
  if (MODE === "webhook") {
    await new Promise((resolve) => server.listen(Number(WEBHOOK_PORT), "127.0.0.1", resolve));
    await bot.start({ webhook: { url: WEBHOOK_URL, secret_token: WEBHOOK_SECRET } });
  } else {
    await bot.start();
  }
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await bot.stop();
  saw("stopped");
  // stop() leaves the poll under way to itself, and Node would wait for it.
  process.exit();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
