/**
 * The scenario of clients/README.md, written with node-telegram-bot-api 1.
 *
 * Answers a client in a private chat and prints what it saw, one JSON object a line.
 * Settings come from the environment; clients/README.md lists them.
 */
"use strict";

const { createHash } = require("node:crypto");
const { createServer } = require("node:http");
const { json } = require("node:stream/consumers");
const { setTimeout: pause } = require("node:timers/promises");
const { TelegramBot } = require("node-telegram-bot-api");

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

const menu = {
  keyboard: [[{ text: BALANCE }, { text: ORDER }], [{ text: SHARE, request_contact: true }]],
  resize_keyboard: true,
};
const confirm = {
  inline_keyboard: [
    [
      { text: "Yes", callback_data: "order:yes" },
      { text: "No", callback_data: "order:no" },
    ],
  ],
};

const bot = new TelegramBot(BOT_TOKEN, {
  baseApiUrl: TELEGRAM_API_BASE,
  onlyFirstMatch: true,
  polling: { autoStart: false },
});

function saw(event, fields = {}) {
  console.log(JSON.stringify({ event, ...fields }));
}

async function download(fileId) {
  const answer = await fetch(await bot.getFileLink(fileId));
  if (!answer.ok) throw new Error(`download of ${fileId}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

bot.onText(/^\/start(?: (.*))?$/, async (message, match) => {
  saw("start", { payload: match[1] ?? "" });
  await bot.sendMessage(message.chat.id, "Menu", { reply_markup: menu });
});

bot.onText(/^\/copy$/, async (message) => {
  const { chat, reply_to_message: source } = message;
  await bot.copyMessage(chat.id, chat.id, source.message_id, { caption: "copied" });
  saw("copied");
});

bot.onText(/^\/forward$/, async (message) => {
  const { chat, reply_to_message: source } = message;
  const forwarded = await bot.forwardMessage(chat.id, chat.id, source.message_id);
  saw("forwarded", { text: forwarded.text, origin: forwarded.forward_origin.type });
});

/** Writes to a chat that does not exist. */
bot.onText(/^\/lost$/, async () => {
  try {
    await bot.sendMessage(1, "anybody there?");
  } catch (error) {
    if (error.code !== "ETELEGRAM" || error.response.body.error_code !== 400) throw error;
    const { description } = error.response.body;
    saw("refused", { why: description.replace("Bad Request: ", "").toLowerCase() });
  }
});

bot.onText(new RegExp(`^${BALANCE}$`), async (message) => {
  saw("button", { text: message.text });
  await bot.sendMessage(message.chat.id, "Your balance: <b>100</b>", { parse_mode: "HTML" });
});

bot.onText(new RegExp(`^${ORDER}$`), async (message) => {
  saw("button", { text: message.text });
  await bot.sendMessage(message.chat.id, "Confirm the order?", { reply_markup: confirm });
});

bot.onText(/[^]*/, async (message) => {
  saw("text", { text: message.text });
  await bot.sendMessage(message.chat.id, `echo: ${message.text}`, {
    reply_parameters: { message_id: message.message_id },
  });
});

bot.on("contact", async (message) => {
  const shared = message.contact;
  saw("contact", { phone: shared.phone_number, own: shared.user_id === message.from.id });
  await bot.sendMessage(message.chat.id, `Thank you, ${shared.first_name}`);
});

bot.on("photo", async (message) => {
  await (message.media_group_id === undefined ? photo(message) : albumItem(message));
});

async function photo(message) {
  const largest = message.photo.at(-1);
  const content = await download(largest.file_id);
  saw("photo", {
    caption: message.caption ?? "",
    width: largest.width,
    height: largest.height,
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  });
  const file = { filename: "back.jpg", contentType: "image/jpeg" };
  await bot.sendPhoto(message.chat.id, content, { caption: "photo back" }, file);
}

/** Items of albums under way: Telegram sends them one by one and does not say how many. */
const albums = new Map();

/** Takes an item in; with the first one, waits for the others and answers. */
async function albumItem(message) {
  const group = message.media_group_id;
  if (albums.has(group)) {
    albums.get(group).push(message);
    return;
  }
  const items = [message];
  albums.set(group, items);
  for (let seen = 0; seen < items.length; ) {
    seen = items.length;
    await pause(ALBUM_PAUSE_MS);
  }
  albums.delete(group);
  items.sort((one, other) => one.message_id - other.message_id);
  saw("album", { items: items.length, captions: items.map((item) => item.caption ?? "") });
  const first = await download(items[0].photo.at(-1).file_id);
  await bot.sendMediaGroup(message.chat.id, [
    { type: "photo", media: first, caption: "album back", fileOptions: { filename: "first.jpg" } },
    ...items.slice(1).map((item) => ({ type: "photo", media: item.photo.at(-1).file_id })),
  ]);
}

bot.on("edited_message_text", (message) => saw("edited", { text: message.text }));

bot.on("callback_query", async ({ id, data, message }) => {
  saw("callback", { data });
  const done = data === "order:yes";
  await bot.answerCallbackQuery(id, { text: done ? "Done" : "Cancelled" });
  await bot.editMessageText(done ? "Order confirmed" : "Order cancelled", {
    chat_id: message.chat.id,
    message_id: message.message_id,
  });
});

/** Resolves on the first signal that asks for an end. */
function asked() {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

/** The library's own server wants the token in the path; behind a web framework one hands it the updates. */
async function serve() {
  const path = new URL(WEBHOOK_URL).pathname;
  const server = createServer(async (request, response) => {
    const secret = request.headers["x-telegram-bot-api-secret-token"];
    if (request.url !== path || secret !== WEBHOOK_SECRET) return response.writeHead(403).end();
    bot.processUpdate(await json(request));
    response.writeHead(200).end();
  });
  await new Promise((resolve) => server.listen(Number(WEBHOOK_PORT), "127.0.0.1", resolve));
  await bot.setWebhook(WEBHOOK_URL, { secret_token: WEBHOOK_SECRET });
}

async function main() {
  saw("ready", { bot: (await bot.getMe()).username });
  if (MODE === "webhook") {
    await serve();
  } else {
    await bot.startPolling();
  }
  await asked();
  saw("stopped");
  // stopPolling() would wait for the poll under way, ten seconds at most; bots just go.
  process.exit();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
