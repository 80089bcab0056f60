/**
 * The errand of clients/README.md, written with amocrm-js.
 *
 * Prints what it saw, one JSON object a line. Settings come from the environment; clients/README.md lists them.
 */
"use strict";

const https = require("node:https");
const net = require("node:net");
const { Client } = require("amocrm-js");

const { AMOCRM_BASE, AMOCRM_CLIENT_ID, AMOCRM_CLIENT_SECRET, AMOCRM_CODE, AMOCRM_REDIRECT_URI } = process.env;

// The library knows no address but https://<subdomain>.amocrm.ru. The process's own agent leads its connections
// elsewhere, as a tunnel would; the library is as it came.
const { hostname, port } = new URL(AMOCRM_BASE);
https.globalAgent = new https.Agent();
https.globalAgent.createConnection = () => net.connect({ host: hostname, port: Number(port) });

const say = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const value = (card, code) =>
  card.custom_fields_values.find((field) => field.field_code === code).values[0].value;

const client = () =>
  new Client({
    domain: "sandbox.amocrm.ru",
    auth: {
      client_id: AMOCRM_CLIENT_ID,
      client_secret: AMOCRM_CLIENT_SECRET,
      redirect_uri: AMOCRM_REDIRECT_URI,
      code: AMOCRM_CODE,
    },
  });

/** The answer, and whether the library told of a failure (with the status it told) before it came. */
async function told(status, ask) {
  try {
    return { answer: await ask(), told: false };
  } catch (error) {
    if (error.data?.status !== status) throw error;
    return { told: true };
  }
}

async function contacts(amo) {
  const missing = await amo.request.get("/api/v4/contacts/5");
  const found = await amo.contacts.get({ query: "nobody" });
  if (missing.response.statusCode === 204) say("missing", { found: found.getData().length });
  await amo.request.post("/api/v4/contacts/custom_fields", [
    { name: "Telegram ID", type: "text", code: "TELEGRAM_ID" },
  ]);
  const ann = new amo.Contact({
    name: "Ann",
    custom_fields_values: [
      { field_code: "PHONE", values: [{ value: "+79990001122", enum_code: "MOB" }] },
      { field_code: "TELEGRAM_ID", values: [{ value: "1001" }] },
    ],
  });
  await ann.save();
  const [hit] = (await amo.contacts.get({ query: "9990001122" })).getData();
  say("found", { same: hit.id === ann.id, phone: value(hit, "PHONE") });
  await amo.contacts.update([{ id: ann.id, name: "Ann Lee" }]);
  const changed = await amo.contacts.getById(ann.id);
  say("changed", { name: changed.name, telegram: value(changed, "TELEGRAM_ID") });
  await amo.contacts.create([1, 2, 3, 4].map((n) => ({ name: `Client ${n}` })));
  const page = await amo.contacts.get({ limit: 2 });
  const names = page.getData().map((contact) => contact.name);
  while (await page.next()) names.push(...page.getData().map((contact) => contact.name));
  say("pages", { names });
}

async function lead(amo) {
  const { data } = await amo.request.get("/api/v4/leads/pipelines");
  const main = data._embedded.pipelines.find((pipeline) => pipeline.is_main);
  const statuses = main._embedded.statuses.map((status) => status.id);
  say("pipeline", { id: main.id, statuses });
  const [ann] = (await amo.contacts.get({ query: "Ann Lee" })).getData();
  const [made] = await amo.leads.create([
    { name: "Order", price: 500, _embedded: { contacts: [{ id: ann.id }] } },
  ]);
  await amo.leads.update([{ id: made.id, status_id: statuses[2] }]);
  const shown = await amo.leads.getById(made.id, { with: ["contacts"] });
  const owns = shown._embedded.contacts.length === 1 && shown._embedded.contacts[0].id === ann.id;
  say("lead", { price: shown.price, status: shown.status_id, owns });
  const notes = `/api/v4/leads/${made.id}/notes`;
  await amo.request.post(notes, [{ note_type: "common", params: { text: "Call back" } }]);
  const listed = (await amo.request.get(notes)).data._embedded.notes;
  say("notes", { texts: listed.map((note) => note.params.text) });
}

async function main() {
  const amo = client();
  await amo.connection.connect();
  const account = () => amo.request.get("/api/v4/account", { with: "amojo_id" });
  const refused = await told(401, account);
  const { data } = refused.answer ?? (await account());
  say("account", { id: data.id, subdomain: data.subdomain });
  await contacts(amo);
  await lead(amo);
  const wrong = { name: "x", custom_fields_values: [{ field_id: 1, values: [{ value: "1" }] }] };
  try {
    await amo.contacts.create([wrong]);
  } catch (error) {
    const [issue] = error.data["validation-errors"][0].errors;
    say("refused", { status: error.data.status, code: issue.code, path: issue.path });
  }
  const users = () => amo.request.get("/api/v4/users");
  const limited = await told(429, users);
  const listed = (limited.answer ?? (await users())).data._embedded.users;
  say("users", { names: listed.map((user) => user.name) });
  say("manners", {
    unauthorized: refused.told ? "tells" : "renews",
    limited: limited.told ? "tells" : "waits",
  });
  const spent = { ...amo.token.getValue() };
  await amo.token.refresh();
  say("refreshed", { other: amo.token.getValue().refresh_token !== spent.refresh_token });
  const again = client();
  again.token.setValue(spent);
  try {
    await again.token.refresh();
  } catch (error) {
    say("spent", { status: error.data.status, hint: error.data.hint });
  }
}

main();
