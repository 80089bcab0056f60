#!/usr/bin/env python3
"""Reduces the published description of the Bot API to what this crate needs, and makes the method table of it.

    python3 data/generate.py <telegram-bot-api.json> <telegram-bot-api-overlay.json>

writes data/bot-api.json (reduced, for people and for the staleness test) and src/methods/table.rs.
The two inputs are the files that reference/telegram.md, section 0, describes: api.json of
PaulSonOfLars/telegram-bot-api-spec (MIT) and what was added to it by hand since. Run it when they change; the
test `the_table_is_not_stale` fails until the table follows the data.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def apply_overlay(api, overlay):
    for version in overlay["versions"]:
        api["methods"].update(version["methods_added"])
        api["types"].update(version["types_added"])
        for method, fields in version["method_fields_added"].items():
            api["methods"][method].setdefault("fields", []).extend(fields)
        for name, fields in version["type_fields_added"].items():
            api["types"].setdefault(name, {"name": name}).setdefault("fields", []).extend(fields)
        for method, names in version["method_fields_removed"].items():
            kept = [f for f in api["methods"][method]["fields"] if f["name"] not in names]
            api["methods"][method]["fields"] = kept
        api["version"] = version["version"]


def element(type_name):
    return type_name.split("Array of ")[-1]


def types_that_attach(types):
    """Names of the types that can carry `attach://` somewhere inside."""
    found = {
        name
        for name, type_ in types.items()
        for field in type_.get("fields", [])
        if "InputFile" in field["types"] or "attach://" in "".join(field.get("description", ""))
    }
    while True:
        more = {
            name
            for name, type_ in types.items()
            if any(sub in found for sub in type_.get("subtypes", []))
            or any(element(t) in found for f in type_.get("fields", []) for t in f["types"])
        }
        if more <= found:
            return found
        found |= more


def reduce(api):
    attaching = types_that_attach(api["types"])
    methods = []
    for name in sorted(api["methods"], key=str.lower):
        method = api["methods"][name]
        files = {}
        for field in method.get("fields", []):
            if "InputFile" in field["types"]:
                files[field["name"]] = "direct"
            elif any(element(t) in attaching for t in field["types"]):
                files[field["name"]] = "nested"
        methods.append({"name": name, "returns": method["returns"], "files": files})
    kinds = [f["name"] for f in api["types"]["Update"]["fields"] if f["name"] != "update_id"]
    members = [f["name"] for f in api["types"]["Message"]["fields"]]
    return {"version": api["version"], "update_kinds": kinds, "message_members": members, "methods": methods}


# Accepted by the server and described nowhere: reference/telegram.md, section 1.1.
UNDOCUMENTED = [
    {"name": "answerCustomQuery", "returns": ["Boolean"], "files": {}},
    {"name": "sendCustomRequest", "returns": ["Object"], "files": {}},
]

SHAPES = {
    ("Boolean",): "True",
    ("Message",): "Message",
    ("Array of Message",): "Messages",
    ("MessageId",): "MessageId",
    ("Array of MessageId",): "MessageIds",
    ("Message", "Boolean"): "MessageOrTrue",
    ("Poll",): "Poll",
    ("Story",): "Story",
    ("ForumTopic",): "ForumTopic",
    ("SentGuestMessage",): "InlineMessageId",
    ("SentWebAppMessage",): "InlineMessageId",
}


def table(reduced):
    lines = [
        "//! The methods of the Bot API. Made by `data/generate.py` from `data/bot-api.json`; not edited by hand.",
        "",
        "use super::{Entry, FileParameter, Form, Shape};",
        "",
        "/// The version the table was made of.",
        f'pub(super) const VERSION: &str = "{reduced["version"]}";',
        "",
        "/// Every method, sorted by its name in lower case.",
        "#[rustfmt::skip]",
        "pub(super) const METHODS: &[Entry] = &[",
    ]
    for method in sorted(reduced["methods"] + UNDOCUMENTED, key=lambda m: m["name"].lower()):
        shape = SHAPES.get(tuple(method["returns"]), "Other")
        files = ", ".join(
            f'FileParameter {{ name: "{name}", form: Form::{form.capitalize()} }}'
            for name, form in method["files"].items()
        )
        lines.append(f'    Entry {{ name: "{method["name"]}", shape: Shape::{shape}, files: &[{files}] }},')
    return "\n".join(lines + ["];", ""])


def main():
    api = json.load(open(sys.argv[1], encoding="utf-8"))
    apply_overlay(api, json.load(open(sys.argv[2], encoding="utf-8")))
    reduced = reduce(api)
    rows = ",\n    ".join(json.dumps(m) for m in reduced["methods"])
    (HERE / "bot-api.json").write_text(
        f'{{\n  "version": {json.dumps(reduced["version"])},\n'
        f'  "update_kinds": {json.dumps(reduced["update_kinds"])},\n'
        f'  "message_members": {json.dumps(reduced["message_members"])},\n'
        f'  "methods": [\n    {rows}\n  ]\n}}\n',
        encoding="utf-8",
    )
    (HERE.parent / "src/methods/table.rs").write_text(table(reduced), encoding="utf-8")


if __name__ == "__main__":
    main()
