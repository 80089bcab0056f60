/** Runs telegram-test-api for the bench: prints its address, and ends with its standard input. */
"use strict";

const { createServer } = require("node:net");
const TelegramServer = require("telegram-test-api");

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function main() {
  const port = await freePort();
  const server = new TelegramServer({ host: "127.0.0.1", port });
  await server.start();
  console.log(`127.0.0.1:${port}`);
  process.stdin.resume().once("end", () => process.exit(0));
}

main();
