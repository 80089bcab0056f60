"""The errand of clients/README.md, written with aioamocrm.

Prints what it saw, one JSON object a line. Settings come from the environment; clients/README.md lists them.
"""

import asyncio
import json
import os

from aioamocrm import (
    AmoCRMClient,
    AuthError,
    Contact,
    Lead,
    MemoryTokenStorage,
    Note,
    NotFoundError,
    OAuth2,
    TokenEndpoint,
    ValidationError,
)


def say(event: str, **fields: object) -> None:
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


async def main() -> None:
    storage = MemoryTokenStorage()
    auth = OAuth2(
        client_id=os.environ["AMOCRM_CLIENT_ID"],
        client_secret=os.environ["AMOCRM_CLIENT_SECRET"],
        redirect_uri=os.environ["AMOCRM_REDIRECT_URI"],
        storage=storage,
    )
    # The one setting that leads it elsewhere: without it, subdomain="…".
    async with AmoCRMClient(base_url=os.environ["AMOCRM_BASE"], auth=auth) as amo:
        await amo.exchange_code(os.environ["AMOCRM_CODE"])
        first = await storage.load()
        account = await amo.account.get(with_="amojo_id")
        say("account", id=account.id, subdomain=account.subdomain)
        renewed = (await storage.load()).access_token != first.access_token
        await contacts(amo)
        await lead(amo)
        await trouble(amo)
        users = [user.name async for user in amo.users.iterate()]
        say("users", names=users)
        say("manners", unauthorized="renews" if renewed else "tells", limited="waits")
        await tokens(amo, auth, storage)


async def contacts(amo: AmoCRMClient) -> None:
    try:
        await amo.contacts.get(5)
    except NotFoundError:
        say("missing", found=len((await amo.contacts.get_page(query="nobody")).items))
    field = {"name": "Telegram ID", "type": "text", "code": "TELEGRAM_ID"}
    await amo.request("POST", "contacts/custom_fields", json=[field])
    ann = Contact(name="Ann")
    ann.set_field("PHONE", "+79990001122", enum_code="MOB")
    ann.set_field("TELEGRAM_ID", "1001")
    [made] = await amo.contacts.create([ann])
    [found] = (await amo.contacts.get_page(query="9990001122")).items
    say("found", same=found.id == made.id, phone=found.field_value("PHONE"))
    await amo.contacts.update([{"id": made.id, "name": "Ann Lee"}])
    changed = await amo.contacts.get(made.id)
    say("changed", name=changed.name, telegram=changed.field_value("TELEGRAM_ID"))
    await amo.contacts.create([Contact(name=f"Client {n}") for n in range(1, 5)])
    names = [contact.name async for contact in amo.contacts.iterate(limit=2)]
    say("pages", names=names)


async def lead(amo: AmoCRMClient) -> None:
    [main, *_] = [pipeline for pipeline in await amo.pipelines.list() if pipeline.is_main]
    statuses = [status.id for status in main.embedded.statuses]
    say("pipeline", id=main.id, statuses=statuses)
    [ann] = (await amo.contacts.get_page(query="Ann Lee")).items
    order = {"name": "Order", "price": 500, "_embedded": {"contacts": [{"id": ann.id}]}}
    [made] = await amo.leads.create([order])
    await amo.leads.update([Lead(id=made.id, status_id=statuses[2])])
    shown = await amo.leads.get(made.id, with_="contacts")
    owns = [contact.id for contact in shown.embedded.contacts] == [ann.id]
    say("lead", price=shown.price, status=shown.status_id, owns=owns)
    await amo.leads.notes.create([Note.common(made.id, "Call back")])
    notes = [note.params["text"] async for note in amo.leads.notes.iterate(entity_id=made.id)]
    say("notes", texts=notes)


async def trouble(amo: AmoCRMClient) -> None:
    wrong = {"name": "x", "custom_fields_values": [{"field_id": 1, "values": [{"value": "1"}]}]}
    try:
        await amo.contacts.create([wrong])
    except ValidationError as error:
        [issue] = error.errors
        say("refused", status=error.status_code, code=issue.code, path=issue.path)


async def tokens(amo: AmoCRMClient, auth: OAuth2, storage: MemoryTokenStorage) -> None:
    spent = await storage.load()
    endpoint = TokenEndpoint(http=amo.http, url=amo.token_url)
    await auth.refresh(endpoint)
    say("refreshed", other=(await storage.load()).refresh_token != spent.refresh_token)
    again = OAuth2(
        client_id=os.environ["AMOCRM_CLIENT_ID"],
        client_secret=os.environ["AMOCRM_CLIENT_SECRET"],
        redirect_uri=os.environ["AMOCRM_REDIRECT_URI"],
        storage=MemoryTokenStorage(spent),
    )
    try:
        await again.refresh(endpoint)
    except AuthError as error:
        say("spent", status=error.status_code, hint=error.body["hint"])


asyncio.run(main())
